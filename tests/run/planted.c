// Programs in C with a planted inversion, and their repaired twins: planted CASE broken|repaired.
// The threads of a case run one after another, so that the broken program does not hang.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static int broken;

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void check(int result) {
    if (result == 0) return;
    fprintf(stderr, "planted: %s\n", strerror(result));
    exit(3);
}

/* Runs both functions, each in a thread, one after the other. */
static void in_turn(void* (*first)(void*), void* (*second)(void*), void* argument) {
    pthread_t thread;
    check(pthread_create(&thread, NULL, first, argument));
    check(pthread_join(thread, NULL));
    check(pthread_create(&thread, NULL, second, argument));
    check(pthread_join(thread, NULL));
}

static void pair(pthread_mutex_t* outer, pthread_mutex_t* inner) {
    check(pthread_mutex_lock(outer));
    check(pthread_mutex_lock(inner));
    check(pthread_mutex_unlock(inner));
    check(pthread_mutex_unlock(outer));
}

/* abba */
static void* forward(void* unused) {
    pair(&accounts, &journal);
    return unused;
}
static void* backward(void* unused) {
    broken ? pair(&journal, &accounts) : pair(&accounts, &journal);
    return unused;
}

/* heap: the mutexes are members of objects */
struct object {
    pthread_mutex_t data;
    pthread_mutex_t list;
};
static struct object* make_object(void) {
    struct object* made = malloc(sizeof *made);
    check(pthread_mutex_init(&made->data, NULL));
    check(pthread_mutex_init(&made->list, NULL));
    return made;
}
static void* heap_forward(void* object) {
    struct object* of = object;
    pair(&of->data, &of->list);
    return NULL;
}
static void* heap_backward(void* object) {
    struct object* of = object;
    broken ? pair(&of->list, &of->data) : pair(&of->data, &of->list);
    return NULL;
}

/* three locks in a ring */
static void* ring_first(void* unused) {
    pair(&accounts, &journal);
    pair(&journal, &third);
    return unused;
}
static void* ring_second(void* unused) {
    broken ? pair(&third, &accounts) : pair(&accounts, &third);
    return unused;
}

/* try: a trylock never waits, but its lock is held */
static void* try_backward(void* unused) {
    pthread_mutex_t* const tried = broken ? &journal : &third;
    check(pthread_mutex_trylock(tried));
    if (broken) {
        check(pthread_mutex_lock(&accounts));
    } else {
        check(pthread_mutex_trylock(&journal));
        check(pthread_mutex_trylock(&accounts));
        check(pthread_mutex_unlock(&journal));
    }
    check(pthread_mutex_unlock(&accounts));
    check(pthread_mutex_unlock(tried));
    return unused;
}

/* timed: a timed acquire waits, so its order counts */
static void* timed_backward(void* unused) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 100;
    check(pthread_mutex_timedlock(broken ? &journal : &accounts, &end));
    check(pthread_mutex_timedlock(broken ? &accounts : &journal, &end));
    check(pthread_mutex_unlock(&accounts));
    check(pthread_mutex_unlock(&journal));
    return unused;
}

/* rwlock: a writer and a reader */
static void* rwlock_forward(void* unused) {
    check(pthread_rwlock_wrlock(&table));
    check(pthread_mutex_lock(&journal));
    check(pthread_mutex_unlock(&journal));
    check(pthread_rwlock_unlock(&table));
    return unused;
}
static void* rwlock_backward(void* unused) {
    if (broken) check(pthread_mutex_lock(&journal));
    check(pthread_rwlock_rdlock(&table));
    check(pthread_rwlock_rdlock(&table)); /* readers may nest */
    if (!broken) check(pthread_mutex_lock(&journal));
    check(pthread_rwlock_unlock(&table));
    check(pthread_rwlock_unlock(&table));
    check(pthread_mutex_unlock(&journal));
    return unused;
}

/* readers: the C library's readers wait for no waiting writer, so two readers cannot deadlock */
static pthread_rwlock_t index_lock = PTHREAD_RWLOCK_INITIALIZER;
static void* readers_forward(void* unused) {
    check(pthread_rwlock_rdlock(&table));
    check(pthread_rwlock_rdlock(&index_lock));
    check(pthread_rwlock_unlock(&index_lock));
    check(pthread_rwlock_unlock(&table));
    return unused;
}
static void* readers_backward(void* unused) {
    check(pthread_rwlock_rdlock(&index_lock));
    check(broken ? pthread_rwlock_wrlock(&table) : pthread_rwlock_rdlock(&table));
    check(pthread_rwlock_unlock(&table));
    check(pthread_rwlock_unlock(&index_lock));
    return unused;
}
static void* readers_write(void* unused) {
    if (!broken) return readers_forward(unused);
    check(pthread_rwlock_rdlock(&table));
    check(pthread_rwlock_wrlock(&index_lock));
    check(pthread_rwlock_unlock(&index_lock));
    check(pthread_rwlock_unlock(&table));
    return unused;
}

/* wait: while a thread waits it does not hold the mutex, but it holds all others */
static void* wait_in_vain(void* unused) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end); /* gives up at once */
    check(pthread_mutex_lock(&accounts));
    if (broken) check(pthread_mutex_lock(&journal));
    if (pthread_cond_timedwait(&changed, &accounts, &end) != ETIMEDOUT) exit(3);
    if (!broken) check(pthread_mutex_lock(&journal));
    check(pthread_mutex_unlock(&journal));
    check(pthread_mutex_unlock(&accounts));
    return unused;
}

/* recursion: of a recursive mutex it is no finding; of a plain one a timed acquire shows it */
static void* recurse(void* unused) {
    pthread_mutexattr_t recursive;
    pthread_mutex_t again;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end); /* gives up at once */
    pthread_mutexattr_init(&recursive);
    if (!broken) pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    check(pthread_mutex_init(&again, &recursive));
    check(pthread_mutex_lock(&again));
    const int result = pthread_mutex_timedlock(&again, &end);
    if (result != (broken ? ETIMEDOUT : 0)) exit(3);
    if (!broken) check(pthread_mutex_unlock(&again));
    pair(&accounts, &journal);
    check(pthread_mutex_unlock(&again));
    check(pthread_mutex_destroy(&again));
    return unused;
}

/* exit: a thread ends while it holds a lock */
static void* end_early(void* unused) {
    check(pthread_mutex_lock(&third));
    if (broken) pthread_exit(unused);
    check(pthread_mutex_unlock(&third));
    pthread_exit(unused);
}

/* foreign: another thread releases */
static void* release_foreign(void* unused) {
    check(pthread_mutex_unlock(&third));
    return unused;
}
static void* take_and_leave(void* unused) {
    check(pthread_mutex_lock(&third));
    if (!broken) check(pthread_mutex_unlock(&third));
    return unused;
}

/* spin */
static void* spin_forward(void* unused) {
    check(pthread_spin_lock(&spin));
    check(pthread_mutex_lock(&journal));
    check(pthread_mutex_unlock(&journal));
    check(pthread_spin_unlock(&spin));
    return unused;
}
static void* spin_backward(void* unused) {
    if (!broken) return spin_forward(unused);
    check(pthread_mutex_lock(&journal));
    check(pthread_spin_lock(&spin));
    check(pthread_spin_unlock(&spin));
    check(pthread_mutex_unlock(&journal));
    return unused;
}

/* once: an initialisation that another thread may wait for */
static void initialise(void) {
    check(pthread_mutex_lock(&journal));
    check(pthread_mutex_unlock(&journal));
}
static pthread_once_t other_once = PTHREAD_ONCE_INIT;
static void* once_forward(void* unused) {
    check(pthread_mutex_lock(&accounts));
    check(pthread_once(&once, initialise)); /* once -> journal, accounts -> once */
    check(pthread_mutex_unlock(&accounts));
    return unused;
}
static void* once_backward(void* unused) {
    broken ? pair(&journal, &accounts) : pair(&accounts, &journal);
    check(pthread_once(&other_once, initialise));
    return unused;
}

/* c11 */
static mtx_t c11_first;
static mtx_t c11_second;
static int c11_forward(void* unused) {
    (void)unused;
    mtx_lock(&c11_first);
    mtx_lock(&c11_second);
    mtx_unlock(&c11_second);
    mtx_unlock(&c11_first);
    return 0;
}
static int c11_backward(void* unused) {
    if (!broken) return c11_forward(unused);
    mtx_lock(&c11_second);
    mtx_lock(&c11_first);
    mtx_unlock(&c11_first);
    mtx_unlock(&c11_second);
    return 0;
}
static void run_c11(void) {
    thrd_t thread;
    mtx_init(&c11_first, mtx_plain);
    mtx_init(&c11_second, mtx_timed);
    thrd_create(&thread, c11_forward, NULL);
    thrd_join(thread, NULL);
    thrd_create(&thread, c11_backward, NULL);
    thrd_join(thread, NULL);
}

/* fork: the child goes on with threads of its own; another thread holds a lock meanwhile */
static sem_t is_held;
static sem_t may_go;
static void* hold_during_fork(void* unused) {
    check(pthread_mutex_lock(&third));
    sem_post(&is_held);
    sem_wait(&may_go);
    check(pthread_mutex_unlock(&third));
    return unused;
}
static void run_fork(void) {
    pthread_t holder;
    sem_init(&is_held, 0, 0);
    sem_init(&may_go, 0, 0);
    check(pthread_create(&holder, NULL, hold_during_fork, NULL));
    sem_wait(&is_held);
    const pid_t child = fork();
    if (child == 0) {
        in_turn(forward, backward, NULL);
        exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) exit(3);
    sem_post(&may_go);
    check(pthread_join(holder, NULL));
}

/* dlopen: the locks and the code are in a library that is unloaded and loaded again */
static void run_plugin(const char* path) {
    for (int round = 0; round < 3; ++round) {
        void* const library = dlopen(path, RTLD_NOW);
        if (library == NULL) {
            fprintf(stderr, "planted: %s\n", dlerror());
            exit(3);
        }
        void* (*first)(void*) = NULL;
        void* (*second)(void*) = NULL;
        *(void**)&first = dlsym(library, "plugin_forward");
        *(void**)&second = dlsym(library, broken ? "plugin_backward" : "plugin_forward");
        in_turn(first, second, NULL);
        dlclose(library);
    }
}

/* fork_dlopen: children begin while another thread loads and unloads a library */
static volatile sig_atomic_t is_loading = 1;
static void* load_again(void* path) {
    while (is_loading) {
        void* const library = dlopen(path, RTLD_NOW);
        if (library != NULL) dlclose(library);
    }
    return NULL;
}
static void run_fork_dlopen(char* path) {
    pthread_t loader;
    check(pthread_create(&loader, NULL, load_again, path));
    for (int round = 0; round < 100; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            pthread_mutex_t* const fresh = calloc(1, sizeof *fresh);
            check(pthread_mutex_lock(fresh));
            check(pthread_mutex_unlock(fresh));
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status != 0) exit(3);
    }
    is_loading = 0;
    check(pthread_join(loader, NULL));
    in_turn(forward, broken ? backward : forward, NULL);
}

/* signal: a handler takes locks in order while hooks may run */
static volatile sig_atomic_t signals;
static void on_signal(int number) {
    (void)number;
    ++signals;
    if (pthread_mutex_trylock(&third) == 0) pthread_mutex_unlock(&third);
}
static void* raise_signals(void* unused) {
    for (int i = 0; i < 200; ++i) {
        kill(getpid(), SIGUSR1);
        pair(&accounts, &journal);
    }
    return unused;
}
static void run_signals(void) {
    signal(SIGUSR1, on_signal);
    in_turn(raise_signals, backward, NULL);
    if (signals == 0) exit(3);
}

/* reuse: a freed block becomes an object whose locks nest the other way round: no inversion */
struct early {
    pthread_mutex_t first;
    pthread_mutex_t second;
};
static void* use_static_style(void* unused) {
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    for (int i = 0; i < 4; ++i) {
        struct early* const made = malloc(sizeof *made);
        made->first = fresh;
        made->second = fresh;
        i % 2 == 0 ? pair(&made->first, &made->second) : pair(&made->second, &made->first);
        if (broken) pair(&made->second, &made->first), pair(&made->first, &made->second);
        free(made);
    }
    return unused;
}

/* blocks: the same for blocks of many sizes, with the locks at their end, beside blocks that live
 * on */
static void nest_in_block(size_t size, size_t beside) {
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t* const neighbour = malloc(beside);
    *neighbour = fresh;
    check(pthread_mutex_lock(neighbour));
    check(pthread_mutex_unlock(neighbour));
    for (int i = 0; i < 4; ++i) {
        char* const block = malloc(size);
        struct early* const made = (struct early*)(block + (size - sizeof *made) / 8 * 8);
        made->first = fresh;
        made->second = fresh;
        i % 2 == 0 ? pair(&made->first, &made->second) : pair(&made->second, &made->first);
        if (broken) pair(&made->second, &made->first), pair(&made->first, &made->second);
        free(block);
        pair(neighbour, &accounts);
    }
}
static void* nest_in_blocks(void* unused) {
    static const size_t sizes[] = {80, 136, 248, 1000, 4096, 5000, 70000, 3000000, 150000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
        for (size_t j = 0; j < 24; ++j) nest_in_block(sizes[i] + 8 * j, 40 + 8 * j);
    return unused;
}

/* cancel: a cancelled wait holds the mutex again while its cleanup runs */
static void release_accounts(void* unused) {
    (void)unused;
    check(pthread_mutex_unlock(&accounts));
}
static void* wait_until_cancelled(void* unused) {
    check(pthread_mutex_lock(&accounts));
    pthread_cleanup_push(release_accounts, NULL);
    sem_post(&is_held);
    while (1) pthread_cond_wait(&changed, &accounts);
    pthread_cleanup_pop(1);
    return unused;
}
static void run_cancel(void) {
    pthread_t thread;
    sem_init(&is_held, 0, 0);
    check(pthread_create(&thread, NULL, wait_until_cancelled, NULL));
    sem_wait(&is_held);
    check(pthread_mutex_lock(&accounts)); /* the thread waits now */
    check(pthread_mutex_unlock(&accounts));
    check(pthread_cancel(thread));
    check(pthread_join(thread, NULL));
    in_turn(forward, backward, NULL);
}

/* beside: both threads run at one time, and a variable that no trace shows keeps them from hanging */
static int is_first_done;
static void* forward_first(void* unused) {
    forward(unused);
    __atomic_store_n(&is_first_done, 1, __ATOMIC_RELEASE);
    return unused;
}
static void* backward_second(void* unused) {
    while (!__atomic_load_n(&is_first_done, __ATOMIC_ACQUIRE)) sched_yield();
    return backward(unused);
}
static void run_beside(void) {
    pthread_t threads[2];
    check(pthread_create(&threads[0], NULL, forward_first, NULL));
    check(pthread_create(&threads[1], NULL, backward_second, NULL));
    check(pthread_join(threads[0], NULL));
    check(pthread_join(threads[1], NULL));
}

struct test_case {
    const char* name;
    void* (*first)(void*);
    void* (*second)(void*);
};
static const struct test_case cases[] = {
    {"abba", forward, backward},
    {"ring", ring_first, ring_second},
    {"try", forward, try_backward},
    {"timed", forward, timed_backward},
    {"rwlock", rwlock_forward, rwlock_backward},
    {"readers", readers_write, readers_backward},
    {"wait", wait_in_vain, forward},
    {"recursion", recurse, forward},
    {"exit", end_early, forward},
    {"spin", spin_forward, spin_backward},
    {"once", once_forward, once_backward},
    {"reuse", use_static_style, use_static_style},
    {"blocks", nest_in_blocks, nest_in_blocks},
};

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    broken = strcmp(argv[2], "broken") == 0;
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        if (strcmp(argv[1], cases[i].name) == 0) {
            in_turn(cases[i].first, cases[i].second, NULL);
            return 0;
        }
    if (strcmp(argv[1], "heap") == 0) return in_turn(heap_forward, heap_backward, make_object()), 0;
    if (strcmp(argv[1], "foreign") == 0)
        return in_turn(take_and_leave, broken ? release_foreign : forward, NULL), 0;
    if (strcmp(argv[1], "alone") == 0) return forward(NULL), backward(NULL), 0;
    if (strcmp(argv[1], "c11") == 0) return run_c11(), 0;
    if (strcmp(argv[1], "beside") == 0) return run_beside(), 0;
    if (strcmp(argv[1], "fork") == 0) return run_fork(), 0;
    if (strcmp(argv[1], "signal") == 0) return run_signals(), 0;
    if (strcmp(argv[1], "cancel") == 0) return run_cancel(), 0;
    if (strcmp(argv[1], "dlopen") == 0 && argc > 3) return run_plugin(argv[3]), 0;
    if (strcmp(argv[1], "fork_dlopen") == 0 && argc > 3) return run_fork_dlopen(argv[3]), 0;
    return 2;
}
