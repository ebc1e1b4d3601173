use super::*;
use rstest::rstest;

fn lease(holder: &str, transitions: i32, renewed: i64) -> Lease {
    let time = |seconds| Some(MicroTime(Timestamp::from_second(seconds).unwrap()));
    Lease {
        metadata: ObjectMeta {
            name: Some("shuttle".to_owned()),
            resource_version: Some("7".to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(15),
            acquire_time: time(1000),
            renew_time: time(renewed),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }),
    }
}

#[rstest]
#[case::created(None, 0, 2000)]
#[case::its_own_again(Some(lease("me", 3, 1500)), 3, 1000)]
#[case::from_another(Some(lease("other", 3, 1500)), 4, 2000)]
#[case::given_back(Some(lease("", 3, 1500)), 4, 2000)]
fn a_claim_counts_transitions_between_holders_and_keeps_the_time_at_which_it_was_acquired(
    #[case] found: Option<Lease>,
    #[case] transitions: i32,
    #[case] acquired: i64,
) {
    let now = Timestamp::from_second(2000).unwrap();
    let claim = claim(found.as_ref(), &Settings::default(), "me", now);
    assert_eq!(claim.metadata.name.as_deref(), Some("shuttle"));
    assert_eq!(
        claim.metadata.resource_version,
        found.and_then(|found| found.metadata.resource_version)
    );
    let spec = claim.spec.unwrap();
    assert_eq!(spec.holder_identity.as_deref(), Some("me"));
    assert_eq!(spec.lease_duration_seconds, Some(15));
    assert_eq!(spec.lease_transitions, Some(transitions));
    assert_eq!(spec.acquire_time.unwrap().0, Timestamp::from_second(acquired).unwrap());
    assert_eq!(spec.renew_time.unwrap().0, now);
}

#[test]
fn a_released_lease_names_nobody_and_keeps_its_count() {
    let released = release(&lease("me", 3, 1500), Timestamp::from_second(2000).unwrap());
    assert_eq!(holder(&released), "");
    assert_eq!(released.spec.unwrap().lease_transitions, Some(3));
}

#[test]
fn a_lease_that_another_holds_is_over_only_when_its_record_has_stood_still_for_its_duration() {
    let (settings, start) = (Settings::default(), Instant::now());
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut observation = Observation::default();
    let note = |observation: &mut Observation, lease: &Lease, seconds| {
        observation.note(Some(lease), &settings, "me", at(seconds))
    };
    // However old its own times are.
    let first = lease("other", 3, 0);
    assert_eq!(note(&mut observation, &first, 0), Standing::Held { until: at(15) });
    assert_eq!(note(&mut observation, &first, 14), Standing::Held { until: at(15) });
    let renewed = lease("other", 3, 5);
    assert_eq!(note(&mut observation, &renewed, 14), Standing::Held { until: at(29) });
    let mut annotated = renewed.clone();
    annotated.metadata.resource_version = Some("8".to_owned());
    assert_eq!(note(&mut observation, &annotated, 20), Standing::Held { until: at(29) });
    assert_eq!(note(&mut observation, &annotated, 29), Standing::Takeable);
}

#[rstest]
#[case::absent(None)]
#[case::given_back(Some(lease("", 3, 1500)))]
#[case::its_own(Some(lease("me", 3, 1500)))]
fn a_lease_that_nobody_else_holds_may_be_taken_at_once(#[case] found: Option<Lease>) {
    let mut observation = Observation::default();
    let standing = observation.note(found.as_ref(), &Settings::default(), "me", Instant::now());
    assert_eq!(standing, Standing::Takeable);
}

#[rstest]
#[case(None, 15)]
#[case(Some(1), 15)]
#[case(Some(-1), 15)]
#[case(Some(30), 30)]
#[case(Some(i32::MAX), 60)]
fn a_holder_that_chose_longer_is_believed_within_reason(#[case] said: Option<i32>, #[case] seconds: u64) {
    let spec = LeaseSpec {
        lease_duration_seconds: said,
        ..LeaseSpec::default()
    };
    assert_eq!(term(&spec, Duration::from_secs(15)), Duration::from_secs(seconds));
}
