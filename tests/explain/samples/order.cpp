// Takes locks in two orders in turn, so that nothing hangs: what a detector of lock orders reports.
// usage: order abba|repaired|three|double|shared
#include <cstring>
#include <mutex>
#include <thread>

#include <pthread.h>

#ifdef __SANITIZE_THREAD__
#define HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#endif
#ifdef HAS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace {

pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t pages = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

void both(pthread_mutex_t& first, pthread_mutex_t& second) {
    pthread_mutex_lock(&first);
    pthread_mutex_lock(&second);
    pthread_mutex_unlock(&second);
    pthread_mutex_unlock(&first);
}
void transfer() {
    both(accounts, journal);
}
void replay() {
    both(journal, accounts);
}
void flush() {
    both(journal, pages);
}
void evict() {
    both(pages, accounts);
}
void look_up() {
    pthread_rwlock_rdlock(&table);
    pthread_mutex_lock(&accounts);
    pthread_mutex_unlock(&accounts);
    pthread_rwlock_unlock(&table);
}
void resize() {
    pthread_mutex_lock(&accounts);
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);
    pthread_mutex_unlock(&accounts);
}
#ifdef HAS_TSAN
/// ThreadSanitizer reports a lock that two threads hold: here one that does not keep the second
/// out.
void take_broken_lock() {
    static int broken;
    __tsan_mutex_pre_lock(&broken, 0);
    __tsan_mutex_post_lock(&broken, 0, 0);
}
#endif
void twice() {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t checked;
    pthread_mutex_init(&checked, &kind);
    pthread_mutex_lock(&checked);
    pthread_mutex_lock(&checked);
    pthread_mutex_unlock(&checked);
    pthread_mutex_destroy(&checked);
}
void in_thread(void (*work)()) {
    std::thread(work).join();
}

}  // namespace

int main(int, char** words) {
    const auto is = [&](const char* name) { return std::strcmp(words[1], name) == 0; };
    if (is("abba")) in_thread(transfer), in_thread(replay);
    if (is("repaired")) in_thread(transfer), in_thread(transfer);
    if (is("three")) in_thread(transfer), in_thread(flush), in_thread(evict);
    if (is("double")) in_thread(twice);
#ifdef HAS_TSAN
    if (is("double")) in_thread(take_broken_lock), in_thread(take_broken_lock);
#endif
    if (is("shared")) in_thread(look_up), in_thread(resize);
}
