//! The recipe for a backend in CONTRIBUTING.md, followed: a queue in memory is one module, `memory.rs`, and keeps the contract of
//! all backends.

#[path = "../contract/mod.rs"]
mod contract;
mod memory;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{TestBackend, contract};
use memory::MemoryQueue;
use queue::Queue;

struct MemoryBackend(MemoryQueue);

#[async_trait]
impl TestBackend for MemoryBackend {
    async fn fresh(_test: &str) -> Option<Self> {
        Some(Self(MemoryQueue::default()))
    }

    async fn open(&self) -> Arc<dyn Queue> {
        Arc::new(self.0.clone())
    }

    async fn put_raw(&self, kind: &str, payload: &[u8]) {
        self.0.put_raw(kind, payload);
    }

    async fn end_leases(&self) {
        self.0.end_leases();
    }

    fn max_lease(&self) -> Duration {
        // A worker is lost when it drops its delivery, and its job is ready at once.
        Duration::from_millis(100)
    }
}

contract!(MemoryBackend);
