//! The examples do what they say. Cargo builds them with the tests, unless one test is named by `--test`.

use std::path::PathBuf;
use std::process::Command;

use reqwest::{Method, Url};

/// Standard output of an example.
fn output_of(example: &str, arguments: &[&str]) -> String {
    let this = std::env::current_exe().unwrap();
    let folder = this.ancestors().nth(2).expect("tests lie in the folder of a profile").join("examples");
    let program: PathBuf = folder.join(example);
    let mut command = Command::new(&program);
    let inherited = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("SPOTIFAI_"));
    inherited.for_each(|name| {
        command.env_remove(name);
    });
    let output = command.args(arguments).output().unwrap_or_else(|error| {
        panic!("cannot start {}: {error}; `cargo build --release -p host --examples` builds it", program.display())
    });
    assert!(output.status.success(), "{example}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hello_runs_a_job_and_the_one_that_follows_from_it() {
    assert_eq!(output_of("hello", &[]), "Hello, world!\nHello, moon!\n2 jobs done\n");
}

/// A request to the broker's management API.
async fn ask(broker: &Url, management: &str, method: Method, path: &str, body: serde_json::Value) {
    let request = reqwest::Client::new().request(method, format!("{}/api/{path}", management.trim_end_matches('/')));
    let request = request.basic_auth(broker.username(), broker.password()).json(&body);
    assert!(request.send().await.expect("the management API answers").status().is_success(), "{path}");
}

#[tokio::test]
async fn rabbitmq_runs_retries_and_buries_jobs() {
    let test = "rabbitmq_runs_retries_and_buries_jobs";
    let Some(url) = testkit::test_server("SPOTIFAI_TEST_QUEUE", test) else { return };
    let Some(management) = testkit::test_server("SPOTIFAI_TEST_QUEUE_MANAGEMENT", test) else { return };
    let mut url: Url = url.parse().expect("a URL");
    let vhost = format!("test-{}", uuid::Uuid::new_v4().simple());
    let everything = serde_json::json!({ "configure": ".*", "write": ".*", "read": ".*" });
    let permissions = format!("permissions/{vhost}/{}", url.username());
    ask(&url, &management, Method::PUT, &format!("vhosts/{vhost}"), serde_json::json!({})).await;
    ask(&url, &management, Method::PUT, &permissions, everything).await;

    url.set_path(&vhost);
    let output = tokio::task::spawn_blocking({
        let url = url.to_string();
        move || std::panic::catch_unwind(|| output_of("rabbitmq", &[&url]))
    });
    let output = output.await.unwrap();
    ask(&url, &management, Method::DELETE, &format!("vhosts/{vhost}"), serde_json::json!({})).await;

    let output = output.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let mut lines: Vec<&str> = output.lines().collect();
    // Jobs run side by side, so their lines come in any order.
    lines[..3].sort_unstable();
    let expected =
        ["60 / 4 = 15", "60 / 5 = 12", "60 / 6 = 10", "3 done, 1 retried, 1 dead", "dead: 0: cannot divide by zero"];
    assert_eq!(lines, expected, "{output}");
}
