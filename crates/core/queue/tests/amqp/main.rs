//! The shared home keeps the contract, on a real RabbitMQ; and what it promises beyond.

mod alarms;
mod backends;
#[path = "../contract/mod.rs"]
mod contract;
mod counting;
mod losses;
mod permissions;
mod redelivery;
mod unusable;

use backends::InBroker;
use contract::contract;

contract!(InBroker);
