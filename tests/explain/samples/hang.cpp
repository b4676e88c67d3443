// Hangs for certain, so that a debugger can be asked where; `repaired` rests without a deadlock.
// usage: hang repaired|abba|three|std|self|shared|condition|join
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

// Not in the anonymous namespace: `print accounts` of gdb finds them.
pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t pages = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
pthread_barrier_t all_hold;
std::mutex one;
std::mutex two;

namespace {

void take(pthread_mutex_t& first, pthread_mutex_t& second) {
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&all_hold);
    pthread_mutex_lock(&second);
}
void transfer() {
    take(accounts, journal);
}
void replay() {
    take(journal, accounts);
}
void flush() {
    take(journal, pages);
}
void evict() {
    take(pages, accounts);
}
void take_std(std::mutex& first, std::mutex& second) {
    const std::lock_guard outer(first);
    pthread_barrier_wait(&all_hold);
    const std::lock_guard inner(second);
}
void push() {
    take_std(one, two);
}
void pull() {
    take_std(two, one);
}
void twice() {
    pthread_mutex_lock(&accounts);
    pthread_mutex_lock(&accounts);
}
void look_up() {
    pthread_rwlock_rdlock(&table);
    pthread_barrier_wait(&all_hold);
    pthread_mutex_lock(&accounts);
}
void resize() {
    pthread_mutex_lock(&accounts);
    pthread_barrier_wait(&all_hold);
    pthread_rwlock_wrlock(&table);
}
void wait_for_change() {
    pthread_mutex_lock(&accounts);
    pthread_mutex_lock(&journal);
    pthread_barrier_wait(&all_hold);
    pthread_cond_wait(&changed, &journal);
}
void change() {
    pthread_barrier_wait(&all_hold);
    pthread_mutex_lock(&accounts);
    pthread_cond_signal(&changed);
}

}  // namespace

int main(int, char** words) {
    const auto is = [&](const char* name) { return std::strcmp(words[1], name) == 0; };
    const auto start = [](auto... work) {
        pthread_barrier_init(&all_hold, nullptr, sizeof...(work));
        std::thread threads[] = {std::thread(work)...};
        for (std::thread& each : threads) each.join();
    };
    if (is("repaired")) start([] { pause(); }, [] { pause(); });
    if (is("abba")) start(transfer, replay);
    if (is("three")) start(transfer, flush, evict);
    if (is("std")) start(push, pull);
    if (is("self")) start(twice);
    if (is("shared")) start(look_up, resize);
    if (is("condition")) start(wait_for_change, change);
    if (is("join")) {
        pthread_mutex_lock(&accounts);
        start([] { pthread_mutex_lock(&accounts); });
    }
}
