//! Kubernetes manifests: what no schema can say.

use model::settings::WorkerSettings;
use serde_json::Value;

use super::references::{self, Secrets};
use super::workers::HAND_BACK_SECONDS;

/// Each problem of one rendered set as `what: why`. `keys` are those of the Secret that a team makes itself.
pub fn problems(documents: &[Value], keys: &str, workers: &[String]) -> Vec<String> {
    let mut found = images(documents);
    for worker in workers {
        let find_object = |kind: &str| find(documents, kind, worker);
        match find_object("Deployment") {
            Some(deployment) => found.extend(drain(worker, deployment)),
            None => found.push(format!("Deployment/{worker}: this worker is missing")),
        }
        match find_object("ScaledObject") {
            Some(scaled) if scaled["spec"]["scaleTargetRef"]["name"] == *worker => {}
            Some(_) => found.push(format!("ScaledObject/{worker}: its target is not this worker")),
            None => found.push(format!("ScaledObject/{worker}: this worker is not scaled")),
        }
        if find_object("PodDisruptionBudget").is_none() {
            found.push(format!("PodDisruptionBudget/{worker}: there is none"));
        }
    }
    found.extend(references::problems(documents, &Secrets::new(documents, keys)));
    found
}

/// A set scales as the base does: by the same queues, and no more pods of what must not have more than one.
pub fn scaling(base: &[Value], rendered: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for of_base in base.iter().filter(|document| document["kind"] == "ScaledObject") {
        let name = of_base["metadata"]["name"].as_str().unwrap_or_default();
        let Some(scaled) = find(rendered, "ScaledObject", name) else { continue };
        let (most, at) = (&scaled["spec"]["maxReplicaCount"], format!("ScaledObject/{name}"));
        if scaled["spec"]["triggers"] != of_base["spec"]["triggers"] {
            found.push(format!("{at}: its triggers are not those of the base"));
        }
        if of_base["spec"]["maxReplicaCount"] == 1 && *most != 1 {
            found.push(format!("{at}: maxReplicaCount is {most}: more than one pod of it would be no faster"));
        }
    }
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
    let drain = WorkerSettings::default().grace_seconds + HAND_BACK_SECONDS;
    let seconds = &deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
    let fits = seconds.as_f64().is_some_and(|seconds| seconds > drain);
    (!fits).then(|| {
        format!("Deployment/{worker}: terminationGracePeriodSeconds is {seconds}, and a drain takes up to {drain} s")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_scales_as_the_base_does() {
        let scaled = |most: u32, queue: &str| {
            let spec = json!({ "maxReplicaCount": most, "triggers": [{ "metadata": { "queueName": queue } }] });
            json!({ "kind": "ScaledObject", "metadata": { "name": "lastfm-worker" }, "spec": spec })
        };
        let base = [scaled(1, "spotifai.track.tags")];
        assert_eq!(scaling(&base, &base), Vec::<String>::new());
        let said = scaling(&base, &[scaled(2, "spotifai.track.tag")]);
        assert_eq!(said[0], "ScaledObject/lastfm-worker: its triggers are not those of the base");
        assert!(said[1].starts_with("ScaledObject/lastfm-worker: maxReplicaCount is 2"), "{said:?}");
    }

    #[test]
    fn a_pod_is_given_time_to_drain() {
        let pod = |seconds| json!({ "spec": { "template": { "spec": { "terminationGracePeriodSeconds": seconds } } } });
        assert!(drain("grid-worker", &pod(json!(28))).is_some());
        assert!(drain("grid-worker", &pod(Value::Null)).is_some());
        assert_eq!(drain("grid-worker", &pod(json!(29))), None);
    }
}
