//! Many at once.

use crate::common::Cluster;
use crate::common::host::Host;

const MANY: usize = 500;

pub(crate) fn many(_: &Cluster) {
    let script = format!(
        "for i in $(seq {MANY}); do
             (ssi onnode $((2 + i % 2)) sh -c 'sleep 2; exit 3'; echo $? >&2) 2>>/run/many & done
         wait; grep -c '^3$' /run/many; sort /run/many | uniq -c >&2"
    );
    let said = Host::Node(1).run(&["bash", "-c", &script]);
    assert_eq!(said.trim(), MANY.to_string());
}
