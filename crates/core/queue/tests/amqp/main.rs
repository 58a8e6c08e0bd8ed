//! The AMQP backend on a real RabbitMQ: the contract of all backends, and what this one promises beyond.

mod alarms;
#[path = "../contract/mod.rs"]
mod contract;
mod counting;
mod losses;
mod permissions;
mod redelivery;
mod test_broker;
mod unusable;

use contract::contract;
use test_broker::BrokerBackend;

contract!(BrokerBackend);
