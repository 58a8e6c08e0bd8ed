//! Handlers of different kinds in one list.

use async_trait::async_trait;
use model::job::{Body, Envelope};
use serde_json::Value;

use crate::{Context, Failure, Handler};

/// A [`Handler`] whose body is still JSON.
#[async_trait]
pub(crate) trait AnyHandler: Send + Sync {
    fn kind(&self) -> &'static str;
    fn pays_from(&self) -> &[&'static str];
    async fn run_body(&self, body: Value, context: &Context) -> Result<Vec<Envelope>, Failure>;
}

#[async_trait]
impl<H: Handler> AnyHandler for H {
    fn kind(&self) -> &'static str {
        H::Body::KIND
    }

    fn pays_from(&self) -> &[&'static str] {
        self.budgets()
    }

    async fn run_body(&self, body: Value, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let job = serde_json::from_value(body)
            .map_err(|e| Failure::dead(format!("the body is not that of a {} job: {e}", H::Body::KIND)))?;
        self.run(job, context).await
    }
}
