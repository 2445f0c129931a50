//! The metrics of one process, read as Prometheus reads them.

/// What a process answers at `/metrics`.
#[derive(Clone, Debug)]
pub struct Figures(pub(super) String);

impl Figures {
    /// The sum of the series called `name` that have all of `labels`; nothing where there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let values = self.0.lines().filter_map(|line| {
            let (series, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            let is_whole_name = series.is_empty() || series.starts_with('{');
            let is_wanted = is_whole_name && labels.iter().all(|label| series.contains(label));
            is_wanted.then(|| value.parse::<f64>().ok()).flatten()
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    /// How many values a histogram has, all series together.
    pub fn count(&self, histogram: &str) -> Option<f64> {
        self.sum(&format!("{histogram}_count"), &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_and_labels_are_those_asked_for() {
        let text = "# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 3\na_total{x=\"2\"} 4\na_total_more 5\nb_seconds_count 6\n";
        let figures = Figures(text.to_owned());
        assert_eq!(figures.sum("a_total", &[]), Some(7.0));
        assert_eq!(figures.sum("a_total", &[("x", "1")]), Some(3.0));
        assert_eq!(figures.sum("a_total", &[("x", "3")]), None);
        assert_eq!(figures.count("b_seconds"), Some(6.0));
        assert_eq!(figures.sum("b", &[]), None);
    }
}
