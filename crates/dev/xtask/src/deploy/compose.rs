//! The compose file: what its schema cannot say.

use model::settings::WorkerSettings;
use serde_json::{Map, Value};

use super::workers::HAND_BACK_SECONDS;

/// Each problem as `what: why`.
pub fn problems(file: &Value, workers: &[String]) -> Vec<String> {
    let Some(services) = file["services"].as_object() else { return vec!["services: there are none".into()] };
    let mut found = Vec::new();
    for name in workers {
        match services.get(name) {
            Some(service) => found.extend(worker(service).into_iter().map(|why| format!("services.{name}.{why}"))),
            None => found.push(format!("services.{name}: this worker is missing")),
        }
    }
    found.extend(images(services, workers));
    for (name, service) in services {
        found.extend(any(service).into_iter().map(|why| format!("services.{name}.{why}")));
    }
    found
}

/// Each image of ours is built by one service, which `up` always starts, and pulled by none.
fn images(services: &Map<String, Value>, workers: &[String]) -> Vec<String> {
    let is_ours = |(name, service): &(&String, &Value)| workers.contains(name) || !service["build"].is_null();
    let mut tags: Vec<&Value> = services.iter().filter(is_ours).map(|(_, service)| &service["image"]).collect();
    tags.sort_by_key(|tag| tag.to_string());
    tags.dedup();
    let mut found = Vec::new();
    for tag in tags {
        let users: Vec<_> = services.iter().filter(|(_, service)| service["image"] == *tag).collect();
        let builders: Vec<_> = users.iter().filter(|(_, service)| !service["build"].is_null()).collect();
        match builders.as_slice() {
            [(name, builder)] if !builder["profiles"].is_null() => {
                found.push(format!("services.{name}.profiles: it builds {tag}, and `up` does not start it"));
            }
            [_] => {}
            [] => found.push(format!("services.{}.image: no service builds {tag}", users[0].0)),
            several => {
                let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
                found.push(format!(
                    "services: {} build {tag} at once: one builds it, the others use it",
                    names.join(", ")
                ));
            }
        }
        let pulled = users.iter().filter(|(_, service)| service["pull_policy"] != "never");
        found.extend(
            pulled.map(|(name, _)| format!("services.{name}.pull_policy: {tag} would be looked for in a registry")),
        );
    }
    found
}

fn worker(service: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let drain = WorkerSettings::default().grace_seconds + HAND_BACK_SECONDS;
    let stop = service["stop_grace_period"].as_str().and_then(|time| time.strip_suffix('s')?.parse().ok());
    if stop.is_none_or(|seconds: f64| seconds <= drain) {
        let stop = &service["stop_grace_period"];
        found.push(format!("stop_grace_period: it is {stop}, and a drain takes up to {drain} s"));
    }
    for server in ["rabbitmq", "mongodb"] {
        if service["depends_on"][server]["condition"] != "service_healthy" {
            found.push(format!("depends_on.{server}: it does not wait until the server is healthy"));
        }
    }
    let listen = service["environment"]["SPOTIFAI_LISTEN"].as_str().and_then(|address| address.rsplit_once(':'));
    let probe = service["healthcheck"]["test"].to_string();
    if listen.is_none_or(|(_, port)| !probe.contains(&format!(":{port}/readyz"))) {
        found.push("healthcheck.test: it does not ask for /readyz at the port of SPOTIFAI_LISTEN".into());
    }
    found
}

fn any(service: &Value) -> Vec<String> {
    let mut found = Vec::new();
    // What runs for one command only has a profile.
    if service["healthcheck"]["test"].is_null() && service["profiles"].is_null() {
        found.push("healthcheck: there is none".into());
    }
    for port in service["ports"].as_array().into_iter().flatten() {
        if !port.as_str().is_some_and(|port| port.starts_with("127.0.0.1:")) {
            found.push(format!("ports: {port} is open to the network: begin it with 127.0.0.1:"));
        }
    }
    for (variable, value) in service["environment"].as_object().into_iter().flatten() {
        if is_open_secret(variable, value.as_str().unwrap_or_default()) {
            found.push(format!(
                "environment.{variable}: this secret is usable without anybody having set it: ${{NAME:?…}}"
            ));
        }
    }
    found
}

/// Whether a password, key or secret, or the password of a URL, has a value that nobody needs to set.
fn is_open_secret(variable: &str, value: &str) -> bool {
    let named = ["PASS", "SECRET", "KEY"].iter().any(|word| variable.contains(word));
    let password = value.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')?.0.split_once(':'));
    let secret = password.map(|(_, password)| password).or(named.then_some(value));
    secret.is_some_and(|secret| !(secret.is_empty() || secret.starts_with("${") && secret.contains(":?")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_must_be_set_by_somebody() {
        assert!(is_open_secret("RABBITMQ_DEFAULT_PASS", "guest"));
        assert!(is_open_secret("RABBITMQ_DEFAULT_PASS", "${PASSWORD:-guest}"));
        assert!(is_open_secret("SPOTIFAI_QUEUE", "amqp://spotifai:guest@rabbitmq:5672"));
        assert!(!is_open_secret("SPOTIFAI_QUEUE", "amqp://spotifai:${PASSWORD:?set it}@rabbitmq:5672"));
        assert!(!is_open_secret("SPOTIFAI_LASTFM_API_KEY", ""));
    }

    #[test]
    fn one_service_builds_an_image_and_the_others_use_it() {
        let file = |of_lastfm: Value, of_playlist: Value| {
            let mut services = serde_json::json!({
                "mongodb": { "image": "mongo:8.0" },
                "lastfm-worker": { "image": "x:local", "pull_policy": "never" },
                "playlist-worker": { "image": "x:local", "pull_policy": "never", "build": { "context": "." } },
            });
            for (name, changes) in [("lastfm-worker", of_lastfm), ("playlist-worker", of_playlist)] {
                services[name].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            }
            images(services.as_object().unwrap(), &["lastfm-worker".to_owned(), "playlist-worker".to_owned()])
        };
        let same = || serde_json::json!({});
        assert_eq!(file(same(), same()), Vec::<String>::new());
        let building = file(serde_json::json!({ "build": "." }), same());
        assert!(building[0].contains("lastfm-worker, playlist-worker build \"x:local\" at once"), "{building:?}");
        let pulling = file(serde_json::json!({ "pull_policy": null }), same());
        assert!(pulling[0].starts_with("services.lastfm-worker.pull_policy"), "{pulling:?}");
        assert!(file(same(), serde_json::json!({ "build": null }))[0].contains("no service builds"));
        assert!(file(same(), serde_json::json!({ "profiles": ["x"] }))[0].contains("`up` does not start it"));
    }

    #[test]
    fn a_worker_is_given_time_to_drain() {
        let service = serde_json::json!({ "stop_grace_period": "28s" });
        assert_eq!(worker(&service)[0], "stop_grace_period: it is \"28s\", and a drain takes up to 28 s");
    }
}
