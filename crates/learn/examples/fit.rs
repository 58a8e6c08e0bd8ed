use std::time::Instant;
use learn::family::{Estimator, complete};
use ndarray::Array2;
fn main() {
    let x: Vec<f64> = std::fs::read("/tmp/bench/x.f64").unwrap().chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    let y: Vec<bool> = std::fs::read("/tmp/bench/y.u8").unwrap().iter().map(|b| *b == 1).collect();
    let (n, d, q) = (5600, 1241, 10);
    let x = Array2::from_shape_vec((7000, d), x).unwrap();
    let y = Array2::from_shape_vec((7000, q), y).unwrap();
    let train = learn::Labelled::new(x.slice(ndarray::s![..n, ..]).to_owned(), y.slice(ndarray::s![..n, ..]).to_owned());
    let args: Vec<String> = std::env::args().collect();
    for text in &args[1..] {
        let settings = learn::grid::read(text, &[]).unwrap();
        for s in settings {
            let e = Estimator::new(&complete(&s.family, &s.params).unwrap(), 0).unwrap();
            let t = Instant::now();
            let m = e.fit(&train).unwrap();
            let fit = t.elapsed().as_secs_f64();
            let t = Instant::now();
            let p = m.probabilities(x.slice(ndarray::s![n.., ..]));
            let right = p.rows().into_iter().zip(y.slice(ndarray::s![n.., ..]).rows()).filter(|(p, y)| p.iter().zip(*y).all(|(p, y)| (*p > 0.5) == *y)).count();
            println!("{text:?}: fit {fit:.3} s, predict {:.3} s, accuracy {:.4}", t.elapsed().as_secs_f64(), right as f64 / 1400.0);
        }
    }
}
