# Ports a C++ file to wedge's locks: sed -E -f tools/to_wstd.sed FILE. The file then includes wedge/std.hpp.
s/\bstd::((recursive_|shared_)?(timed_)?mutex|(lock_guard|scoped_lock|unique_lock|shared_lock|lock|try_lock|adopt_lock|defer_lock|try_to_lock)(_t)?|once_flag|call_once|notify_all_at_thread_exit|kill_dependency)\b/wstd::\1/g
s/\bstd::(condition_variable(_any)?|cv_status|stop_(token|source|callback)|nostopstate(_t)?|j?thread|this_thread)\b/wstd::\1/g
s/\bstd::((shared_)?future|promise|packaged_task|async|launch|future_(status|error|errc|category))\b/wstd::\1/g
s/\bstd::((counting|binary)_semaphore|latch|barrier|atomic(_[a-z0-9_]+)?|memory_order(_[a-z_]+)?)\b/wstd::\1/g
