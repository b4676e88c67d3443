// Results that one thread computes and another one waits for, in every way of <future>.
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace std_programs {

inline int twice(int value) {
    return 2 * value;
}

/// Returns what a future throws.
template <class Future>
std::string failure_of(Future of) {
    try {
        of.get();
    } catch (const std::exception& thrown) {
        return thrown.what();
    }
    return "nothing";
}

inline std::string run_results() {
    std::string seen;
    std::promise<std::string> said;
    std::future<std::string> heard = said.get_future();
    std::thread speaker([](std::promise<std::string> by) { by.set_value("hello"); },
                        std::move(said));
    seen += heard.get();
    speaker.join();

    std::packaged_task<int(int)> task(twice);
    std::shared_future<int> doubled = task.get_future().share();
    task(21);
    seen += " " + std::to_string(doubled.get()) + std::to_string(doubled.get());

    std::future<int> later = std::async(std::launch::async, twice, 4);
    std::future<int> lazy = std::async(std::launch::deferred, [] { return 7; });
    const bool is_deferred = lazy.wait_for(std::chrono::seconds(0)) == std::future_status::deferred;
    seen += " " + std::to_string(later.get() + lazy.get()) + (is_deferred ? " deferred" : "");

    seen += " " + failure_of(std::async([]() -> int { throw std::runtime_error("too late"); }));
    std::future<void> broken = std::promise<void>().get_future();
    try {
        broken.get();
    } catch (const std::future_error& thrown) {
        seen += thrown.code() == std::future_errc::broken_promise ? " broken" : " ?";
    }
    int place = 0;
    std::promise<int&> of_place;
    of_place.set_value(place);
    of_place.get_future().get() = 5;
    return seen + " " + std::to_string(place);
}

}  // namespace std_programs
