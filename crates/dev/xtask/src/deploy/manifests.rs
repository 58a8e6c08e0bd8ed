//! Kubernetes manifests: what no schema can say.

use std::collections::BTreeSet;

use model::job::KINDS;
use model::settings::Worker;
use serde_json::Value;

use super::references::{self, Secrets};
use super::workers::{HAND_BACK_SECONDS, WORKERS};

/// Each problem of one rendered set as `what: why`. `keys` are those of the Secret that a team makes itself.
pub fn problems(documents: &[Value], keys: &str) -> Vec<String> {
    let mut found = images(documents);
    for (worker, kinds) in WORKERS {
        let of = |kind: &str| find(documents, kind, worker);
        match of("Deployment") {
            Some(deployment) => found.extend(drain(worker, deployment)),
            None => found.push(format!("Deployment/{worker}: this worker is missing")),
        }
        match of("ScaledObject") {
            Some(scaled) => found.extend(scaling(worker, kinds, scaled)),
            None => found.push(format!("ScaledObject/{worker}: this worker is not scaled")),
        }
        if of("PodDisruptionBudget").is_none() {
            found.push(format!("PodDisruptionBudget/{worker}: there is none"));
        }
    }
    for kind in KINDS.iter().filter(|kind| !WORKERS.iter().any(|(_, kinds)| kinds.contains(kind))) {
        found.push(format!("{kind}: no worker runs this kind of job"));
    }
    found.extend(references::problems(documents, &Secrets::new(documents, keys)));
    found
}

fn find<'a>(documents: &'a [Value], kind: &str, name: &str) -> Option<&'a Value> {
    documents.iter().find(|document| document["kind"] == kind && document["metadata"]["name"] == name)
}

/// All programs are of one image.
fn images(documents: &[Value]) -> Vec<String> {
    let mut ours = Vec::new();
    for document in documents {
        for container in references::containers(document) {
            if container["image"].as_str().is_some_and(|image| image.contains("spotifai")) {
                ours.push((references::name(document), &container["image"]));
            }
        }
    }
    let Some((first, image)) = ours.first().cloned() else { return vec!["image: no container has ours".into()] };
    let others = ours.iter().filter(|(_, other)| *other != image);
    others.map(|(name, other)| format!("{name}: its image is {other}, that of {first} is {image}")).collect()
}

fn drain(worker: &str, deployment: &Value) -> Option<String> {
    let drain = Worker::default().grace_seconds + HAND_BACK_SECONDS;
    let seconds = &deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
    let fits = seconds.as_f64().is_some_and(|seconds| seconds > drain);
    (!fits).then(|| {
        format!("Deployment/{worker}: terminationGracePeriodSeconds is {seconds}, and a drain takes up to {drain} s")
    })
}

/// The autoscaler looks at both queues of each kind that the worker runs, and at no other.
fn scaling(worker: &str, kinds: &[&str], scaled: &Value) -> Vec<String> {
    let at = format!("ScaledObject/{worker}");
    let spec = &scaled["spec"];
    let mut found = Vec::new();
    if spec["scaleTargetRef"]["name"] != worker {
        found.push(format!("{at}: its target is {}, not this worker", spec["scaleTargetRef"]["name"]));
    }
    let watched = spec["triggers"].as_array().into_iter().flatten().filter_map(|t| t["metadata"]["queueName"].as_str());
    let watched: BTreeSet<_> = watched.map(str::to_owned).collect();
    let needed: BTreeSet<_> =
        kinds.iter().flat_map(|kind| [format!("spotifai.{kind}"), format!("spotifai.{kind}.high")]).collect();
    found.extend(
        needed.difference(&watched).map(|queue| format!("{at}: {queue} does not wake it: no trigger names it")),
    );
    found.extend(watched.difference(&needed).map(|queue| format!("{at}: {queue} is no queue of this worker")));
    if worker == "lastfm-worker" && spec["maxReplicaCount"] != 1 {
        let most = &spec["maxReplicaCount"];
        found.push(format!("{at}: maxReplicaCount is {most}: at most one pod of an egress address may ask last.fm"));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_autoscaler_watches_the_queues_of_its_worker() {
        let trigger = |queue: &str| json!({ "metadata": { "queueName": queue } });
        let triggers = [trigger("spotifai.track.tags"), trigger("spotifai.track.tag.high")];
        let scaled = json!({ "spec": {
            "scaleTargetRef": { "name": "lastfm-worker" }, "maxReplicaCount": 2, "triggers": triggers,
        } });
        let said = scaling("lastfm-worker", &["track.tags"], &scaled);
        assert_eq!(
            said[0],
            "ScaledObject/lastfm-worker: spotifai.track.tags.high does not wake it: no trigger names it"
        );
        assert_eq!(said[1], "ScaledObject/lastfm-worker: spotifai.track.tag.high is no queue of this worker");
        assert!(said[2].starts_with("ScaledObject/lastfm-worker: maxReplicaCount is 2"), "{said:?}");
    }

    #[test]
    fn a_pod_is_given_time_to_drain() {
        let pod = |seconds| json!({ "spec": { "template": { "spec": { "terminationGracePeriodSeconds": seconds } } } });
        assert!(drain("grid-worker", &pod(json!(28))).is_some());
        assert!(drain("grid-worker", &pod(Value::Null)).is_some());
        assert_eq!(drain("grid-worker", &pod(json!(29))), None);
    }
}
