#!/bin/sh
# Runs broken scenarios and their repaired twins on real threads. Each broken one must wedge, and name the locks if its
# hang is a cycle of locks. Each repaired one must not.
wedge=$1
corpora=$2
status=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

wedges() {
    timeout 300 "$wedge" stress "$corpora/$1.wedge" --seconds 250 >"$out/text" 2>&1
    if [ $? -ne 1 ] || ! grep -q ': wedged, ' "$out/text" || ! grep -q "$2" "$out/text"; then
        echo "$1: expected a hang with '$2':"
        cat "$out/text"
        status=1
    fi
}
passes() {
    if ! timeout 300 "$wedge" stress "$corpora/$1.wedge" --operations 100 --expect >"$out/text" 2>&1; then
        echo "$1: expected no hang:"
        cat "$out/text"
        status=1
    fi
}

# broken twin, repaired twin, what the report of the broken one contains
while read -r broken repaired report; do
    wedges "$broken" "$report"
    passes "$repaired"
done <<END
flush_under_lock flush_before_lock waits for  reset (work)
cancel_under_lock cancel_before_lock waits for  retire (work)
delayed_work_under_lock delayed_work_before_lock waits for  poll (delayed_work)
join_under_lock join_after_lock waits for  worker (thread)
srcu_sync_under_lock srcu_sync_after_lock waits for  readers (map)
sync_under_lock sync_after_lock (map)
timer_under_lock timer_after_unlock waits for  watchdog (timer)
timer_unsafe_lock timer_safe_lock ^deadlock: .*waits for state
bh_unsafe_lock bh_safe_lock ^deadlock: .*waits for ring
irq_unsafe_lock irq_safe_lock ^deadlock: .*waits for ring
irq_inversion irq_inversion_masked ^deadlock: .*waits for ring
irq_work_under_lock irq_work_masked ^deadlock: .*waits for trace
nmi_lock nmi_tries ^deadlock: .*waits for log
seqlock_in_interrupt seqlock_masked ^deadlock: .*waits for clock
softirq_writer_interrupted softirq_readers ^deadlock: .*waits for state
irq_completes_masked irq_completes waits for  condition finished
wake_for_nothing wake_then_set waits for  condition ready
one_worker two_workers waits for  drain (work)
one_worker one_worker_rescued waits for  drain (work)
reset_waits_for_job reset_signals_job waits for  retire (work)
completion_under_lock completion_before_lock waits for  condition reset_done
END
exit $status
