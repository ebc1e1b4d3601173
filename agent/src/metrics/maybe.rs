//! A gauge that is absent at times.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use std::sync::{Arc, Mutex, PoisonError};

/// A gauge that has no sample while it has no value: 0 would be a point in 1970, or a lag that nobody measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maybe(Arc<Mutex<Option<f64>>>);

// === impl Maybe ===

impl Maybe {
    /// Shows a value, or none.
    pub(crate) fn set(&self, value: Option<f64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

impl EncodeMetric for Maybe {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let value = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        value.map_or(Ok(()), |value| encoder.encode_gauge(&value))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

/// A time as a sample: seconds since 1970.
pub(crate) fn epoch(time: jiff::Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}
