/* wedge for C: a program reports what it does with its locks, and the explorer controls it. */
#ifndef WEDGE_C_H
#define WEDGE_C_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A place in the source. Its strings must live as long as the program. */
struct wedge_site {
    const char* file;
    const char* function;
    unsigned line;
};
#ifdef __cplusplus
#define WEDGE_HERE (wedge_site{__FILE__, __func__, __LINE__})
#else
#define WEDGE_HERE ((struct wedge_site){__FILE__, __func__, __LINE__})
#endif

/* The class of a lock: all locks that obey the same rules. */
typedef unsigned wedge_class;
/* Returns the class of that name. Classes of equal names are one class. The name is copied. */
wedge_class wedge_class_of(const char* name);
/* Returns the class of all locks that are made at this place. */
wedge_class wedge_class_at(struct wedge_site where);

/* What a lock is. It decides how the explorer models the lock. */
enum wedge_kind {
    WEDGE_MUTEX,
    WEDGE_RECURSIVE_MUTEX, /* its holder may take it again */
    WEDGE_SPINLOCK,        /* its holder must not sleep */
    WEDGE_RWLOCK,          /* a reader waits for a writer that holds the lock, as with glibc */
    WEDGE_FAIR_RWLOCK      /* first come, first served */
};

enum wedge_mode { WEDGE_EXCLUSIVE, WEDGE_SHARED };

/*
 * A lock as a program names it: by its address. The address is remembered until wedge_forget. A lock
 * that is used without wedge_make counts as older than the program's tasks, so that is for locks
 * that are never freed.
 */
struct wedge_lock {
    const void* address;
    wedge_class of;
    enum wedge_kind kind;
};

/* What the caller does next. */
enum wedge_next {
    WEDGE_GIVEN_UP, /* under control: a try failed, or a timed wait gave up */
    WEDGE_DONE,     /* under control: the step is taken; the native lock must not be touched */
    WEDGE_NATIVE    /* a live program: take the native step, then report its result */
};

/*
 * Takes a lock. Call it right before the native acquire, so that an inversion is reported before it
 * hangs. If it returns WEDGE_NATIVE, take the native lock and then call wedge_acquired.
 *
 *     if (wedge_acquire(mine, WEDGE_EXCLUSIVE, WEDGE_HERE) == WEDGE_NATIVE) {
 *         pthread_mutex_lock(&m->native);
 *         wedge_acquired(mine, WEDGE_EXCLUSIVE, WEDGE_HERE);
 *     }
 *
 * Under control it blocks until the engine gives the lock. It may leave by an exception or never
 * return when an execution is given up, so what the calling functions own then leaks.
 */
enum wedge_next wedge_acquire(struct wedge_lock lock, enum wedge_mode how, struct wedge_site where);
void wedge_acquired(struct wedge_lock lock, enum wedge_mode how, struct wedge_site where);

/* Tries to take a lock. After WEDGE_NATIVE, call wedge_tried with the result of the native try. */
enum wedge_next wedge_try(struct wedge_lock lock, enum wedge_mode how, struct wedge_site where);
void wedge_tried(struct wedge_lock lock, enum wedge_mode how, int is_taken,
                 struct wedge_site where);

/* Releases a lock. Call it before the native release, which follows after WEDGE_NATIVE. */
enum wedge_next wedge_release(struct wedge_lock lock, struct wedge_site where);

/*
 * Waits for a condition, which is named by its address. The caller holds `lock`. After WEDGE_NATIVE,
 * wait natively, which releases the lock and takes it again, and then call wedge_woken.
 *
 * `is_timed`: the wait may give up. Under control it may do so whenever the engine chooses.
 */
enum wedge_next wedge_wait(const void* condition, wedge_class of, struct wedge_lock lock,
                           int is_timed, struct wedge_site where);
void wedge_woken(const void* condition, wedge_class of, struct wedge_lock lock,
                 struct wedge_site where);

/* Wakes one task that waits for a condition, or all. After WEDGE_NATIVE, notify natively. */
enum wedge_next wedge_signal(const void* condition, wedge_class of, struct wedge_site where);
enum wedge_next wedge_broadcast(const void* condition, wedge_class of, struct wedge_site where);

/* States that a lock or a condition begins at this address. */
void wedge_make(struct wedge_lock lock);
void wedge_make_condition(const void* condition, wedge_class of);
/* States that the lock or condition at this address ends. Call it before the memory is used again. */
void wedge_forget(const void* address);

/* Reports a finding if the running task does not hold the lock. */
void wedge_assert_held(struct wedge_lock lock, struct wedge_site where);

/* States that the allocator may reclaim memory here, and may take what reclaim takes. */
void wedge_might_alloc(struct wedge_site where);
/* Enters and leaves the code that reclaims memory. */
void wedge_reclaim_begin(struct wedge_site where);
void wedge_reclaim_end(struct wedge_site where);

/* Names the running task in reports. The name is copied. */
void wedge_name_task(const char* name);
/* Lets other tasks run. A loop that waits for a flag calls it. */
void wedge_yield(struct wedge_site where);
/* Makes a recorded choice: a number below n. In a live program it is random. `why` is a literal. */
unsigned wedge_choose(unsigned n, const char* why);

/* The result of an exploration, worst first. */
enum wedge_result {
    WEDGE_DEADLOCK,
    WEDGE_LIVELOCK,
    WEDGE_EXCEPTION,
    WEDGE_FINDING,
    WEDGE_UNRESOLVED,
    WEDGE_SOUND
};

/* A task of an exploration. */
struct wedge_task {
    void (*run)(void* data);
    void* data;
};

/* What is explored: tasks, and the state that they share. */
struct wedge_subject {
    const struct wedge_task* tasks;
    size_t count;
    void (*begin)(void* data); /* makes the state anew for each execution; may be null */
    void (*end)(void* data);   /* destroys it; may be null */
    void* data;                /* for both */
};

/*
 * Explores every interleaving of the tasks, with at most this many executions. Without `begin`, the
 * tasks must leave the state as they found it, also where an execution is given up.
 *
 * Writes the report into `report`, cut to `size` bytes with its terminating zero. Needs the target
 * wedge::explore.
 */
enum wedge_result wedge_explore(const struct wedge_subject* what, size_t executions_max,
                                char* report, size_t size);

#ifdef __cplusplus
}
#endif

#endif
