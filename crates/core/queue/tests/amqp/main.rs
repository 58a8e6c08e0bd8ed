//! The shared home keeps the contract, on a real RabbitMQ; and what it promises beyond.

mod alarms;
#[path = "../contract/mod.rs"]
mod contract;
mod counting;
mod home;
mod losses;
mod permissions;
mod redelivery;
mod unusable;

use contract::contract;
use home::InBroker;

contract!(InBroker);
