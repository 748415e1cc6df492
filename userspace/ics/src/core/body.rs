//! Bodies: what services say to each other, in postcard.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CallError, Failure};

/// A value as a body.
///
/// # Errors
/// The type can't be written without knowing itself (serde's `flatten`, sequences of unknown
/// length).
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, CallError> {
    postcard::to_stdvec(value)
        .map(Bytes::from)
        .map_err(|_| CallError::Protocol("a value that no body can hold"))
}

/// The value that a reply's body holds.
///
/// # Errors
/// It holds another, or more.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    whole(body).ok_or(CallError::Protocol("its body is not what it should be"))
}

/// The value that the body of a request holds.
///
/// # Errors
/// It holds another, or more; the caller is told so.
pub fn request<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let what = "the request's body is not what it should be: do the nodes run the same version?";
    whole(body).ok_or_else(|| Failure::Other(what.to_owned()))
}

fn whole<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Said {
        Nothing,
        Words(Vec<String>),
        Numbers { a: u64, b: Option<i32> },
    }

    fn said() -> impl Strategy<Value = Said> {
        let numbers = (any::<u64>(), any::<Option<i32>>());
        prop_oneof![
            Just(Said::Nothing),
            any::<Vec<String>>().prop_map(Said::Words),
            numbers.prop_map(|(a, b)| Said::Numbers { a, b }),
        ]
    }

    proptest! {
        #[test]
        fn values_survive(value in said(), more: u8) {
            let body = encode(&value).unwrap();
            prop_assert_eq!(decode::<Said>(&body), Ok(value.clone()));
            prop_assert_eq!(request::<Said>(&body), Ok(value));
            let longer = [&body[..], &[more]].concat();
            prop_assert!(decode::<Said>(&longer).is_err());
        }

        #[test]
        fn noise_is_refused_or_read(noise: Vec<u8>) {
            if let Ok(value) = decode::<Said>(&noise) {
                let back = encode(&value).unwrap();
                prop_assert_eq!(decode::<Said>(&back), Ok(value));
            }
        }
    }
}
