//! `spotifai kinds`.

use std::fmt::Write;

use host::Program;

use crate::args::KindsArgs;
use crate::output::{say, say_json, table};
use crate::programs;

/// Shows every kind of job, or the objects by which a cluster scales the workers.
pub fn run(args: &KindsArgs) -> anyhow::Result<()> {
    if args.scaling {
        return say(scaling(programs::programs()).trim_end());
    }
    let kinds = programs::kinds();
    if args.json {
        return say_json(&kinds);
    }
    let budgets = |budgets: &[&str]| if budgets.is_empty() { "–".to_owned() } else { budgets.join(", ") };
    let row = |kind: &model::job::Kind| {
        let (attempts, timeout) = (kind.attempts.to_string(), format!("{} s", kind.timeout.as_secs()));
        vec![kind.name.to_owned(), kind.worker.to_owned(), attempts, timeout, budgets(kind.budgets)]
    };
    say(&table(&["kind", "worker", "attempts", "timeout", "budgets"], &kinds.iter().map(row).collect::<Vec<_>>()))
}

/// KEDA's objects, with a trigger for each queue of each kind.
fn scaling(programs: &[Program]) -> String {
    let mut yaml = HEAD.to_owned();
    for program in programs {
        let _ = write!(
            yaml,
            "---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: {}\n",
            program.name
        );
        let _ = write!(yaml, "spec:\n  scaleTargetRef:\n    name: {}\n{TIMES}", program.name);
        for line in program.pods.why.lines() {
            let _ = writeln!(yaml, "  # {line}");
        }
        let _ = write!(yaml, "  maxReplicaCount: {}\n{FALLBACK}  triggers:\n", program.pods.most);
        for kind in program.kinds() {
            for priority in ["", ".high"] {
                let _ = writeln!(yaml, "{TRIGGER}        queueName: spotifai.{}{priority}", kind.name);
                let _ = writeln!(yaml, "        value: \"{}\"", program.pods.jobs_each);
            }
        }
    }
    yaml
}

const HEAD: &str = "\
# Made by `cargo xtask deploy --write` from the kinds of job and the worker programs.
# One ScaledObject a worker (KEDA, keda.sh): pods by the length of its queues, none while they are empty.
# A kind of job has two queues, `spotifai.KIND` and `spotifai.KIND.high`; each has a trigger, so that either wakes a worker.
# `http` counts jobs under way too, so that no worker is stopped in the middle of the last ones. `value` is jobs a pod.
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  name: rabbitmq
spec:
  secretTargetRef:
    # The management API with credentials and vhost: http://USER:PASSWORD@HOST:15672/VHOST
    - parameter: host
      name: spotifai
      key: KEDA_RABBITMQ
";

const TIMES: &str = "  pollingInterval: 15\n  cooldownPeriod: 120\n  minReplicaCount: 0\n";

const FALLBACK: &str = "  # Where the management API does not answer, one worker goes on.
  fallback:
    failureThreshold: 4
    replicas: 1
";

const TRIGGER: &str = "    - type: rabbitmq
      authenticationRef:
        name: rabbitmq
      metadata:
        protocol: http
        mode: QueueLength
";
