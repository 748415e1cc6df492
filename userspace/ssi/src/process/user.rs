//! Users, by name and by number.

use std::cell::RefCell;
use std::collections::HashMap;

use nix::unistd::{Uid, User};

use crate::fail::Fail;

thread_local! {
    /// Looking a user up may be a question to another machine.
    static USERS: RefCell<HashMap<u32, String>> = RefCell::default();
}

/// A user's name, or the number if it has none.
pub(crate) fn name(uid: u32) -> String {
    USERS.with_borrow_mut(|users| {
        let name = || match User::from_uid(Uid::from_raw(uid)) {
            Ok(Some(user)) => user.name,
            _ => uid.to_string(),
        };
        users.entry(uid).or_insert_with(name).clone()
    })
}

/// A user's number, by name or number.
pub(crate) fn uid(user: &str) -> Result<u32, Fail> {
    if let Ok(number) = user.parse() {
        return Ok(number);
    }
    match User::from_name(user) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        Ok(None) => Err(Fail::Usage(format!("there is no user {user}"))),
        Err(errno) => Err(Fail::Failed(format!("cannot look user {user} up: {errno}"))),
    }
}

/// The numbers of several.
pub(crate) fn uids(users: &[String]) -> Result<Vec<u32>, Fail> {
    users.iter().map(|user| uid(user)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(name(0), "root");
        assert_eq!(name(4_000_000_001), "4000000001");
        assert_eq!(uid("root").expect("it is there"), 0);
        assert_eq!(uid("17").expect("a number"), 17);
        assert!(matches!(uid("nobody-at-all"), Err(Fail::Usage(_))));
    }
}
