//! What one Kubernetes object says of another: it must be there.

use std::collections::BTreeSet;

use serde_json::Value;

/// The label that selectors use.
const NAME_LABEL: &str = "app.kubernetes.io/name";

/// The Secrets that there are, as (name, key).
pub struct Secrets(BTreeSet<(String, String)>);

impl Secrets {
    /// Those of the set; where it has none, the team's own `spotifai` with the keys of an environment file.
    pub fn new(documents: &[Value], file: &str) -> Self {
        let mut all = BTreeSet::new();
        for secret in documents.iter().filter(|document| document["kind"] == "Secret") {
            let name = text(&secret["metadata"]["name"]);
            for values in [&secret["data"], &secret["stringData"]] {
                all.extend(values.as_object().into_iter().flatten().map(|(key, _)| (name.clone(), key.clone())));
            }
        }
        if all.is_empty() {
            let keys = file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
            all.extend(keys.map(|(key, _)| ("spotifai".to_owned(), key.to_owned())));
        }
        Self(all)
    }

    fn has(&self, name: &str, key: &str) -> bool {
        self.0.contains(&(name.to_owned(), key.to_owned()))
    }
}

/// Each reference to nothing as `what: why`.
pub fn problems(documents: &[Value], secrets: &Secrets) -> Vec<String> {
    let there: BTreeSet<_> = documents.iter().map(name).collect();
    let labels: BTreeSet<_> =
        documents.iter().map(|document| text(&pod(document)["metadata"]["labels"][NAME_LABEL])).collect();
    let mut found = Vec::new();
    for document in documents {
        let from = name(document);
        visit_fields(document, &mut |key, value| {
            let missing = match key {
                "secretKeyRef" | "secretTargetRef" => secret(value, secrets),
                "serviceAccountName" => object(&there, "ServiceAccount", value),
                "configMapRef" => object(&there, "ConfigMap", &value["name"]),
                "claimName" => object(&there, "PersistentVolumeClaim", value),
                "authenticationRef" => object(&there, "TriggerAuthentication", &value["name"]),
                "scaleTargetRef" => object(&there, "Deployment", &value["name"]),
                "matchLabels" | "selector" => label(&labels, &value[NAME_LABEL]),
                "matchExpressions" => {
                    let values =
                        value.as_array().into_iter().flatten().filter(|expression| expression["key"] == NAME_LABEL);
                    values
                        .flat_map(|expression| expression["values"].as_array().into_iter().flatten())
                        .find_map(|name| label(&labels, name))
                }
                _ => None,
            };
            found.extend(missing.map(|missing| format!("{from}: {key}: {missing}")));
        });
    }
    found
}

/// `KIND/NAME`.
pub fn name(document: &Value) -> String {
    format!("{}/{}", text(&document["kind"]), text(&document["metadata"]["name"]))
}

/// The containers of a document's pods, those that run first included.
pub fn containers(document: &Value) -> impl Iterator<Item = &Value> {
    let spec = &pod(document)["spec"];
    [&spec["initContainers"], &spec["containers"]].into_iter().flat_map(|all| all.as_array().into_iter().flatten())
}

/// The pod template of a Deployment, StatefulSet, Job or CronJob.
fn pod(document: &Value) -> &Value {
    let job = &document["spec"]["jobTemplate"];
    if job.is_null() { &document["spec"]["template"] } else { &job["spec"]["template"] }
}

fn secret(value: &Value, secrets: &Secrets) -> Option<String> {
    let missing = |reference: &Value| {
        let (name, key) = (text(&reference["name"]), text(&reference["key"]));
        let is_missing = reference["optional"] != true && !secrets.has(&name, &key);
        is_missing.then(|| format!("no Secret {name} with key {key} is defined or named in secret.env.example"))
    };
    match value.as_array() {
        Some(all) => all.iter().find_map(missing),
        None => missing(value),
    }
}

fn object(there: &BTreeSet<String>, kind: &str, value: &Value) -> Option<String> {
    let wanted = format!("{kind}/{}", text(value));
    (!there.contains(&wanted)).then(|| format!("there is no {wanted}"))
}

fn label(labels: &BTreeSet<String>, value: &Value) -> Option<String> {
    let wanted = value.as_str()?;
    (!labels.contains(wanted)).then(|| format!("no pod is labelled {NAME_LABEL}: {wanted}"))
}

/// Every field of every object within.
fn visit_fields(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            visit(key, value);
            visit_fields(value, visit);
        }),
        Value::Array(values) => values.iter().for_each(|value| visit_fields(value, visit)),
        _ => {}
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_referred_to_must_be_there() {
        let reference = |key: &str| json!({ "secretKeyRef": { "name": "spotifai", "key": key } });
        let optional = json!({ "secretKeyRef": { "name": "spotifai", "key": "OTHER", "optional": true } });
        let documents = [json!({
            "kind": "Job", "metadata": { "name": "j" },
            "env": [reference("QUEUE"), reference("STORE"), optional], "serviceAccountName": "worker",
        })];
        let said = problems(&documents, &Secrets::new(&documents, "# KEY=\nQUEUE=x\n"));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("Job/j: secretKeyRef: no Secret spotifai with key STORE"), "{said:?}");
        assert_eq!(said[1], "Job/j: serviceAccountName: there is no ServiceAccount/worker");
    }
}
