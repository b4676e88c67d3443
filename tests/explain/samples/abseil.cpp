// Takes abseil's locks in two orders in turn: what its own detector reports.
// usage: abseil abba|three|repaired|double
#include <cstring>
#include <thread>

#include <absl/synchronization/mutex.h>

namespace {

absl::Mutex accounts;
absl::Mutex journal;
absl::Mutex pages;

void both(absl::Mutex& first, absl::Mutex& second) {
    first.Lock();
    second.Lock();
    second.Unlock();
    first.Unlock();
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
void twice() {
    both(accounts, accounts);
}
void in_thread(void (*work)()) {
    std::thread(work).join();
}

}  // namespace

int main(int, char** words) {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kReport);
    const auto is = [&](const char* name) { return std::strcmp(words[1], name) == 0; };
    if (is("abba")) in_thread(transfer), in_thread(replay);
    if (is("repaired")) in_thread(transfer), in_thread(transfer);
    if (is("three")) in_thread(transfer), in_thread(flush), in_thread(evict);
    if (is("double")) in_thread(twice);
}
