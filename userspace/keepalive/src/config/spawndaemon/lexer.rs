//! Options and words, as getopt(3) tells them apart: `-oa` is `-o -a`, `-n3` is `-n 3`.

use super::Usage;

/// Options that have a value.
const VALUED: &str = "BDFPRSZcdginprsvz";
/// Options that have none.
const PLAIN: &str = "LQUXakoqx";

/// What stands on a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// Options, with their values ("" for those without), in their order.
    pub(super) options: Vec<(char, String)>,
    /// What is no option.
    pub(super) words: Vec<String>,
}

impl Words {
    /// After `-d` and its value, everything is an argument of the program, whatever it
    /// begins with; so it is after `--`.
    pub(super) fn of<S: AsRef<str>>(args: &[S]) -> Result<Self, Usage> {
        let mut split = Self::default();
        let mut args = args.iter().map(AsRef::as_ref);
        while let Some(arg) = args.next() {
            if arg == "--" {
                break;
            }
            let Some(cluster) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                split.words.push(arg.to_owned());
                continue;
            };
            if split.cluster(cluster, &mut args)? == Some('d') {
                break;
            }
        }
        split.words.extend(args.map(str::to_owned));
        Ok(split)
    }

    /// The options behind one `-`; answers the one that took a value, if one did.
    fn cluster<'a>(
        &mut self,
        cluster: &str,
        rest: &mut impl Iterator<Item = &'a str>,
    ) -> Result<Option<char>, Usage> {
        for (n, option) in cluster.char_indices() {
            if PLAIN.contains(option) {
                self.options.push((option, String::new()));
                continue;
            }
            if !VALUED.contains(option) {
                return Err(Usage(format!("there is no option -{option}")));
            }
            let attached = &cluster[n + option.len_utf8()..];
            let value = if attached.is_empty() {
                rest.next()
                    .ok_or_else(|| Usage(format!("-{option} wants a value behind it")))?
            } else {
                attached
            };
            self.options.push((option, value.to_owned()));
            return Ok(Some(option));
        }
        Ok(None)
    }
}
