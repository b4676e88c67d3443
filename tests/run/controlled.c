// Programs in C whose threads run at one time, for `wedge run --control`: controlled CASE
// broken|repaired. The deadlock of a broken program needs an order of steps that hardly ever
// happens by itself.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int broken;

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int items;
static int is_full;

static void check(int result) {
    if (result == 0) return;
    fprintf(stderr, "controlled: %s\n", strerror(result));
    exit(3);
}

static void pair(pthread_mutex_t* outer, pthread_mutex_t* inner) {
    check(pthread_mutex_lock(outer));
    check(pthread_mutex_lock(inner));
    ++items;
    check(pthread_mutex_unlock(inner));
    check(pthread_mutex_unlock(outer));
}

/* Runs both functions at one time. */
static void beside(void* (*first)(void*), void* (*second)(void*)) {
    pthread_t threads[2];
    check(pthread_create(&threads[0], NULL, first, NULL));
    check(pthread_create(&threads[1], NULL, second, NULL));
    check(pthread_join(threads[0], NULL));
    check(pthread_join(threads[1], NULL));
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

/* far: as abba, with many steps before and behind, so that the orders hardly ever meet */
static void many_steps(void) {
    for (int i = 0; i < 200; ++i) {
        check(pthread_mutex_lock(&third));
        check(pthread_mutex_unlock(&third));
    }
}
static void* forward_late(void* unused) {
    many_steps();
    return forward(unused);
}
static void* backward_early(void* unused) {
    backward(unused);
    many_steps();
    return unused;
}

/* ring: three threads, each with two of three locks */
static void* second_of_ring(void* unused) {
    pair(&journal, &third);
    return unused;
}
static void* third_of_ring(void* unused) {
    broken ? pair(&third, &accounts) : pair(&accounts, &third);
    return unused;
}
static void run_ring(void) {
    pthread_t thread;
    check(pthread_create(&thread, NULL, forward, NULL));
    beside(second_of_ring, third_of_ring);
    check(pthread_join(thread, NULL));
}

/* upgrade: two readers that both want to write */
static void* upgrade(void* unused) {
    check(pthread_mutex_lock(&journal));
    if (broken) check(pthread_mutex_unlock(&journal));
    check(pthread_rwlock_rdlock(&table));
    if (!broken) check(pthread_rwlock_unlock(&table));
    check(pthread_rwlock_wrlock(&table));
    check(pthread_rwlock_unlock(&table));
    if (broken)
        check(pthread_rwlock_unlock(&table));
    else
        check(pthread_mutex_unlock(&journal));
    return unused;
}

/* queue: a condition. The broken consumer waits although the item has come meanwhile. */
static void* produce(void* unused) {
    check(pthread_mutex_lock(&journal));
    is_full = 1;
    check(pthread_cond_signal(&changed));
    check(pthread_mutex_unlock(&journal));
    return unused;
}
static void* consume(void* unused) {
    check(pthread_mutex_lock(&journal));
    const int was_full = is_full;
    if (broken) {
        check(pthread_mutex_unlock(&journal)); /* the signal may come here, and is lost */
        check(pthread_mutex_lock(&journal));
        if (!was_full) check(pthread_cond_wait(&changed, &journal));
    }
    while (!is_full) check(pthread_cond_wait(&changed, &journal));
    check(pthread_mutex_unlock(&journal));
    return unused;
}

/* timed: as abba, but one of the waits gives up */
static void* timed_backward(void* unused) {
    struct timespec end;
    check(pthread_mutex_lock(&journal));
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec = end.tv_nsec > 900000000 ? 999999999 : end.tv_nsec + 50000000;
    const int result = pthread_mutex_timedlock(&accounts, &end);
    if (result == 0) check(pthread_mutex_unlock(&accounts));
    if (result != 0 && result != ETIMEDOUT) exit(3);
    check(pthread_mutex_unlock(&journal));
    return unused;
}

/* pipe: one thread sleeps in the kernel until the other one writes, under locks in both orders */
static int ends[2];
static void* read_pipe(void* unused) {
    char byte;
    for (int i = 0; i < 20; ++i) {
        if (read(ends[0], &byte, 1) != 1) exit(3);
        pair(&accounts, &journal);
    }
    return unused;
}
static void* write_pipe(void* unused) {
    for (int i = 0; i < 20; ++i) {
        broken ? pair(&journal, &accounts) : pair(&accounts, &journal);
        if (write(ends[1], "x", 1) != 1) exit(3);
    }
    return unused;
}
static void run_pipe(void) {
    if (pipe(ends) != 0) exit(3);
    beside(read_pipe, write_pipe);
}

/* fork: the child has threads of its own */
static void run_fork(void) {
    const pid_t child = fork();
    if (child == 0) {
        beside(forward, backward);
        exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0 && !broken) exit(3);
    broken = 0;
    beside(forward, backward);
}

/* spin: a thread spins on a variable that no step sets */
static int is_set;
static void* spin_until_set(void* unused) {
    pair(&accounts, &journal);
    while (!__atomic_load_n(&is_set, __ATOMIC_ACQUIRE)) continue;
    return unused;
}
static void* set(void* unused) {
    broken ? pair(&journal, &accounts) : pair(&accounts, &journal);
    __atomic_store_n(&is_set, 1, __ATOMIC_RELEASE);
    return unused;
}

/* handler: all threads wait, but a handler of a signal wakes one of them */
static sem_t woken;
static void on_alarm(int number) {
    (void)number;
    sem_post(&woken);
}
static void* wait_for_handler(void* unused) {
    while (sem_wait(&woken) != 0)
        if (errno != EINTR) exit(3);
    return unused;
}
static void run_handler(void) {
    const struct itimerval soon = {{0, 0}, {0, 20000}};
    sem_init(&woken, 0, 0);
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &soon, NULL);
    beside(wait_for_handler, forward);
}

/* semaphore: the only unit is taken twice */
static void* take_unit(void* unused) {
    sem_wait(&woken);
    if (!broken) sem_post(&woken);
    return unused;
}
static void run_semaphore(void) {
    sem_init(&woken, 0, 1);
    beside(take_unit, take_unit);
}

/* cancel: a wait for a condition and one for a semaphore are cancelled */
static void release_journal(void* unused) {
    (void)unused;
    check(pthread_mutex_unlock(&journal));
}
static void* wait_forever(void* unused) {
    check(pthread_mutex_lock(&journal));
    pthread_cleanup_push(release_journal, NULL);
    while (1) pthread_cond_wait(&changed, &journal);
    pthread_cleanup_pop(1);
    return unused;
}
static void* down_forever(void* unused) {
    while (1) sem_wait(&woken);
    return unused;
}
static void run_cancel(void) {
    pthread_t threads[2];
    sem_init(&woken, 0, 0);
    check(pthread_create(&threads[0], NULL, wait_forever, NULL));
    check(pthread_create(&threads[1], NULL, down_forever, NULL));
    check(pthread_cancel(threads[0]));
    check(pthread_cancel(threads[1]));
    check(pthread_join(threads[0], NULL));
    check(pthread_join(threads[1], NULL));
    beside(forward, backward);
}

/* race: the result depends on who comes first */
static void set_items(int value) {
    check(pthread_mutex_lock(&journal));
    items = value;
    check(pthread_mutex_unlock(&journal));
}
static void* set_in_parts(void* unused) {
    set_items(broken ? 1 : 2);
    set_items(2);
    return unused;
}
static void* expect_whole(void* unused) {
    check(pthread_mutex_lock(&journal));
    if (items == 1) exit(4);
    check(pthread_mutex_unlock(&journal));
    return unused;
}

/* others: barrier, once, broadcast, recursion, errors, trylock, yield, thread exit */
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t twice = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t strict = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static int arrived;
static void initialise(void) {
    pair(&accounts, &journal);
}
static void* use_all(void* unused) {
    pthread_barrier_wait(&barrier);
    check(pthread_once(&once, initialise));
    check(pthread_mutex_lock(&twice));
    check(pthread_mutex_lock(&twice));
    check(pthread_mutex_unlock(&twice));
    check(pthread_mutex_unlock(&twice));
    check(pthread_mutex_lock(&strict));
    if (pthread_mutex_lock(&strict) != EDEADLK) exit(3);
    check(pthread_mutex_unlock(&strict));
    check(pthread_rwlock_wrlock(&table));
    if (pthread_rwlock_rdlock(&table) != EDEADLK) exit(3);
    check(pthread_rwlock_unlock(&table));
    while (pthread_mutex_trylock(&accounts) != 0) sched_yield();
    check(pthread_mutex_unlock(&accounts));
    check(pthread_mutex_lock(&journal));
    if (++arrived == 4) check(pthread_cond_broadcast(&changed));
    while (arrived != 4) check(pthread_cond_wait(&changed, &journal));
    check(pthread_mutex_unlock(&journal));
    pthread_exit(unused);
}
static void run_others(void) {
    pthread_t threads[4];
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 4; ++i) check(pthread_create(&threads[i], NULL, use_all, NULL));
    for (int i = 0; i < 4; ++i) check(pthread_join(threads[i], NULL));
    beside(forward, backward);
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    broken = strcmp(argv[2], "broken") == 0;
    const char* const name = argv[1];
    if (strcmp(name, "abba") == 0) return beside(forward, backward), 0;
    if (strcmp(name, "far") == 0) return beside(forward_late, backward_early), 0;
    if (strcmp(name, "ring") == 0) return run_ring(), 0;
    if (strcmp(name, "upgrade") == 0) return beside(upgrade, upgrade), 0;
    if (strcmp(name, "queue") == 0) return beside(consume, produce), 0;
    if (strcmp(name, "timed") == 0) return beside(forward, timed_backward), 0;
    if (strcmp(name, "pipe") == 0) return run_pipe(), 0;
    if (strcmp(name, "fork") == 0) return run_fork(), 0;
    if (strcmp(name, "spin") == 0) return beside(spin_until_set, set), 0;
    if (strcmp(name, "handler") == 0) return run_handler(), 0;
    if (strcmp(name, "semaphore") == 0) return run_semaphore(), 0;
    if (strcmp(name, "cancel") == 0) return run_cancel(), 0;
    if (strcmp(name, "race") == 0) return beside(set_in_parts, expect_whole), 0;
    if (strcmp(name, "others") == 0) return run_others(), 0;
    return 2;
}
