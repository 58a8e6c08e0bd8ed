mod common;
use std::time::Instant;
use common::*;
use worker::Budgets;

#[tokio::test(flavor = "multi_thread")]
async fn speed() {
    let place = Place::new().await;
    for rate in [20.0, 100.0, 400.0, 5000.0] {
        let b = Budgets::new(place.home.store.clone(), [("lastfm", rate)]);
        place.home.store.budget("lastfm").await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let t = Instant::now();
        let n = (rate * 2.0) as usize;
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..4 { let b = b.clone(); set.spawn(async move { for _ in 0..n/4 { b.permit("lastfm").await.unwrap(); } }); }
        set.join_all().await;
        eprintln!("rate {rate}: got {:.1}/s", n as f64 / t.elapsed().as_secs_f64());
    }
    let jobs: Vec<_> = (0..20000).map(|n| job(Apple { n })).collect();
    place.publish(&jobs).await;
    let t = Instant::now();
    run_until_empty(place.worker().with(on(|_: Apple, _| async { Ok(vec![]) }), 32)).await;
    eprintln!("jobs: {:.0}/s", 20000.0 / t.elapsed().as_secs_f64());
}
