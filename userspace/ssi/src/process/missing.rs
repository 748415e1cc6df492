//! Nodes that said nothing.

use ssi_api::process::Missing;

use crate::fail::Fail;
use crate::output;

/// Names on standard error the nodes that `command` has heard nothing of, and why.
///
/// # Errors
/// [`Fail::No`] if there are any: what was printed is not all there is.
pub(crate) fn tell(command: &str, missing: &[Missing]) -> Result<(), Fail> {
    for Missing { number, name, why } in missing {
        let line = format!("{command}: node {number} {name} {why}; see: ssi cluster");
        eprintln!("{}", output::plain(&line));
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Fail::No)
    }
}
