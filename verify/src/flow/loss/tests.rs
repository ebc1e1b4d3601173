//! Names that say loss, and those that are known.

use super::*;
use rstest::rstest;

#[rstest]
#[case::of_another_version(Program::FluentBit, "fluentbit_input_memrb_dropped_records_total", true)]
#[case::known(Program::FluentBit, "fluentbit_output_dropped_records_total", false)]
#[case::meant(Program::FluentBit, "fluentbit_filter_drop_records_total", false)]
#[case::says_nothing_of_it(Program::FluentBit, "fluentbit_output_retries_total", false)]
#[case::of_another_version(Program::Vmagent, "vmagent_remotewrite_future_lost_total", true)]
#[case::meant(Program::Vmagent, "vmagent_remotewrite_relabel_metrics_dropped_total", false)]
#[case::meant(Program::Vmagent, "vm_streamaggr_dedup_dropped_samples_total", false)]
#[case::a_flag(Program::Vmagent, "flag", false)]
#[case::of_another_version(Program::Alloy, "otelcol_exporter_send_failed_profiles_total", true)]
#[case::a_part(Program::Alloy, "prometheus_drop_duration_seconds_bucket", false)]
#[case::no_way_of_samples(Program::Alloy, "net_conntrack_dialer_conn_failed_total", false)]
#[case::not_plain(Program::Alloy, "lost \u{1b}[31m", false)]
fn a_name_that_says_loss_is_told(#[case] program: Program, #[case] name: &str, #[case] expected: bool) {
    assert_eq!(program.is_rumour(name), expected);
}

#[test]
fn no_counter_is_listed_twice_and_none_is_both_known_and_meant() {
    for program in Program::ALL {
        let names: Vec<&str> = program.all_kept().iter().map(|kept| kept.name).collect();
        for (position, name) in names.iter().enumerate() {
            assert!(!names[..position].contains(name), "{name}");
        }
    }
}
