//! An instance, as people name it.

use std::convert::Infallible;
use std::str::FromStr;

use ssi_api::service::InstanceView;

/// `web`, which is its first instance, or `web:2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) number: u32,
}

impl FromStr for Instance {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let parts = text.rsplit_once(':');
        let parts = parts.and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (name, number) = parts.unwrap_or((text, 0));
        let name = name.to_owned();
        Ok(Self { name, number })
    }
}

/// What an instance is called.
pub(crate) fn called(name: &str, number: u32) -> String {
    match number {
        0 => name.to_owned(),
        number => format!("{name}:{number}"),
    }
}

/// What an instance is called.
pub(crate) fn name(instance: &InstanceView) -> String {
    called(&instance.name, instance.instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_goes_by_the_process_s_name() {
        for (text, name, number) in [("web", "web", 0), ("web:2", "web", 2), ("a:b", "a:b", 0)] {
            let instance: Instance = text.parse().unwrap();
            assert_eq!((instance.name.as_str(), instance.number), (name, number));
            assert_eq!(called(name, number), text);
        }
    }
}
