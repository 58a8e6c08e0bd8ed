//! The bare loop: lapin on a quorum queue, an acknowledgement a message, nothing around it.

use std::time::Instant;

use anyhow::{Context, ensure};
use futures::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

use crate::ours::{BATCH, SLOTS};

const QUEUE: &str = "bare";

/// A connection with a quorum queue.
pub struct Bare {
    _connection: Connection,
    channel: Channel,
}

impl Bare {
    /// Connects and declares.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let mut quorum = FieldTable::default();
        quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        channel.queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), quorum).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        channel.basic_qos(SLOTS as u16, BasicQosOptions::default()).await?;
        Ok(Self { _connection: connection, channel })
    }

    /// Publishes the messages of as many jobs, confirms included; messages a second.
    pub async fn publish(&self, count: usize) -> anyhow::Result<f64> {
        let messages: Vec<Vec<u8>> = crate::jobs(count).iter().map(|job| job.to_bytes()).collect();
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let began = Instant::now();
        for batch in messages.chunks(BATCH) {
            let mut confirms = Vec::with_capacity(batch.len());
            for message in batch {
                let sent = self.channel.basic_publish("".into(), QUEUE.into(), mandatory, message, persistent.clone());
                confirms.push(sent.await?);
            }
            for confirm in confirms {
                ensure!(matches!(confirm.await?, Confirmation::Ack(None)), "a message was refused");
            }
        }
        Ok(count as f64 / began.elapsed().as_secs_f64())
    }

    /// Consumes and acknowledges as many, one by one; messages a second.
    pub async fn run(&self, count: usize) -> anyhow::Result<f64> {
        let consume =
            self.channel.basic_consume(QUEUE.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
        let mut messages = consume.await?;
        let mut began = None;
        for _ in 0..count {
            let message: Delivery = messages.next().await.context("the consumer was cancelled")??;
            began.get_or_insert_with(Instant::now);
            message.ack(BasicAckOptions::default()).await?;
        }
        Ok(count as f64 / began.context("no message")?.elapsed().as_secs_f64())
    }
}
