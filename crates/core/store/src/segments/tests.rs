use proptest::prelude::*;

use super::*;

/// Values as documents have them, and every other one: zeros of both signs, huge, tiny, infinite.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-100_000i32..100_000).prop_map(|thousandths| f64::from(thousandths) / 1000.0),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(f64::INFINITY), Just(f64::MIN_POSITIVE), Just(9_007_199_254_740_993.0)],
        1 => any::<f64>(),
    ]
}

fn segment() -> impl Strategy<Value = Segment> {
    let optional = || prop::option::of(value());
    let scalars = (optional(), optional(), optional(), optional(), optional(), optional());
    let vector = || prop::array::uniform12(value());
    (value(), scalars, vector(), prop::option::of(vector())).prop_map(|(start, scalars, pitches, timbre)| Segment {
        duration: scalars.0,
        confidence: scalars.1,
        loudness_start: scalars.2,
        loudness_max: scalars.3,
        loudness_max_time: scalars.4,
        loudness_end: scalars.5,
        pitches,
        timbre,
        ..starting_at(start)
    })
}

/// All numbers of a segment as bits, so that -0.0 is not 0.0.
fn bits(segment: &Segment) -> Vec<Option<u64>> {
    let scalars = SCALAR_FIELDS.iter().map(|(get, _)| get(segment));
    let timbre = (0..12).map(|i| segment.timbre.map(|timbre| timbre[i]));
    let values = [Some(segment.start)].into_iter().chain(scalars).chain(segment.pitches.map(Some)).chain(timbre);
    values.map(|value| value.map(f64::to_bits)).collect()
}

fn assert_same(left: &[Segment], right: &[Segment]) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert_eq!(bits(left), bits(right));
    }
}

proptest! {
    #[test]
    fn unpacking_gives_back_every_bit(segments in prop::collection::vec(segment(), 0..40)) {
        assert_same(&unpack(&pack(&segments)).unwrap(), &segments);
    }

    #[test]
    fn damage_is_told_not_fatal(
        segments in prop::collection::vec(segment(), 0..4),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let whole = pack(&segments);
        let at = at.index(whole.len());
        prop_assert!(unpack(&whole[..at]).is_err());
        let mut changed = whole;
        changed[at] = byte;
        let _ = unpack(&changed);
    }
}

#[test]
fn no_segments_are_a_few_bytes() {
    let packed = pack(&[]);
    assert!(packed.len() < 64);
    assert_eq!(unpack(&packed), Ok(vec![]));
}

#[test]
fn what_is_no_packed_segments_is_refused() {
    assert!(unpack(&[]).is_err());
    assert_eq!(unpack(&[9]), Err(DamagedSegments("unknown version")));
    assert_eq!(unpack(&[VERSION, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(DamagedSegments("more segments than bytes")));
    let mut longer = pack(&[starting_at(0.5)]);
    longer.push(0);
    assert_eq!(unpack(&longer), Err(DamagedSegments("bytes left over")));
}

#[test]
fn real_documents_shrink_to_less_than_a_fifth() {
    let Some(data) = testkit::real_data("real_documents_shrink_to_less_than_a_fifth") else { return };
    let mut documents = 0;
    for entry in std::fs::read_dir(data.join("audio-analysis")).unwrap() {
        let json = std::fs::read(entry.unwrap().path()).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let document = document.get("audio_analysis").unwrap_or(&document);
        let segments: Vec<Segment> = serde_json::from_value(document["segments"].clone()).unwrap();
        let packed = pack(&segments);
        assert_same(&unpack(&packed).unwrap(), &segments);
        assert!(packed.len() * 5 < json.len(), "{} bytes of {}", packed.len(), json.len());
        documents += 1;
    }
    assert!(documents > 0);
}
