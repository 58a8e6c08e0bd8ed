//! The AMQP backend on a real RabbitMQ: the contract of all backends, and what this one promises beyond.

mod alarms;
mod test_broker;
#[path = "../contract/mod.rs"]
mod contract;
mod counting;
mod losses;
mod permissions;
mod redelivery;
mod unusable;

use test_broker::BrokerBackend;
use contract::contract;

contract!(BrokerBackend);
