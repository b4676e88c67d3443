#include "nightly/bisect.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"

#include "nightly/night.hpp"

namespace wedge::nightly {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::hours build_time(2);

/// What a commit shows.
enum class sight { shown, absent, unbuilt, unrun };

const char* said(sight of) {
    switch (of) {
        case sight::shown: return "shows it";
        case sight::absent: return "does not show it";
        case sight::unbuilt: return "does not build, left out";
        case sight::unrun: return "builds, but the finding cannot be replayed, left out";
    }
    return "";
}

/// A checkout of one commit at a time, apart from the user's work tree.
class checkout {
public:
    checkout(const bisection& of, std::string folder) : of_(of), folder_(std::move(folder)) {
        std::error_code failed;
        fs::remove_all(folder_, failed);
        git({"worktree", "prune"});
        git({"worktree", "add", "--detach", folder_, of.bad});
    }
    checkout(const checkout&) = delete;
    checkout& operator=(const checkout&) = delete;
    ~checkout() {
        try {
            git({"worktree", "remove", "--force", folder_});
        } catch (const std::exception&) {  // git prunes it later
        }
    }

    std::string git(std::vector<std::string> words) const {
        std::vector<std::string> all{"git", "-C", of_.repository};
        all.insert(all.end(), words.begin(), words.end());
        const run_result ran = run_to_end(all, of_.scratch + "/git.log", std::chrono::minutes(5));
        if (ran.how.status != 0)
            throw error(as_line(all) + ": " + ran.out.substr(0, ran.out.find('\n')));
        return ran.out;
    }

    /// Builds a commit and looks for the finding.
    sight look(const std::string& commit) const {
        const run_result moved =
            run_to_end({"git", "-C", folder_, "checkout", "--quiet", "--detach", commit},
                       of_.scratch + "/git.log", std::chrono::minutes(5));
        if (moved.how.status != 0) throw error("git checkout " + commit + ": " + moved.out);
        const run_result built =
            run_to_end(of_.build, log_of(commit),
                       std::chrono::duration_cast<std::chrono::milliseconds>(build_time), folder_);
        if (built.how.status != 0) return sight::unbuilt;
        finding_row there = of_.what;
        there.program = moved_path(of_.what.program);
        if (there.subject.ends_with(".wedge")) there.subject = moved_path(there.subject);
        switch (replay(there, of_.self, of_.scratch, folder_)) {
            case replayed::again: return sight::shown;
            case replayed::gone: return sight::absent;
            case replayed::unclear: break;
        }
        return sight::unrun;
    }

    /// Returns the file with the output of the build of a commit.
    std::string log_of(const std::string& commit) const {
        return of_.scratch + "/build-" + commit.substr(0, 12) + ".log";
    }

private:
    /// Returns where a file of the repository is in this checkout.
    std::string moved_path(const std::string& path) const {
        const fs::path relative = fs::path(path).lexically_relative(of_.repository);
        const bool is_inside = !relative.empty() && *relative.begin() != "..";
        return is_inside ? (fs::path(folder_) / relative).string() : path;
    }

    const bisection& of_;
    const std::string folder_;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        all.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return all;
}

/// @throws error  the last commit does not show the finding, so that no commit can be blamed
void refuse_unless_shown(sight seen, const bisection& of, const std::string& log) {
    if (seen == sight::shown) return;
    const bool is_line = of.build.size() == 3 && of.build[1] == "-c";  // one word of the user
    if (seen == sight::unbuilt)
        throw error("bisect: " + of.bad + " does not build by `" +
                    (is_line ? of.build.back() : as_line(of.build)) + "`; " + log +
                    " has the output. Mend the command, or name by --until a commit that builds "
                    "and shows the finding");
    if (seen == sight::unrun)
        throw error("bisect: " + of.bad +
                    " builds, but the finding cannot be replayed there: " + of.what.program +
                    ", or the saved input or schedule, is missing; its checkout has only what the "
                    "build command makes");
    throw error("bisect: " + of.bad +
                " does not show the finding; name by --until a commit that does");
}

}  // namespace

std::vector<std::string> bisect(const bisection& of, std::FILE* out) {
    make_folder(of.scratch);
    const checkout at(of, of.scratch + "/checkout");
    std::vector<std::string> commits =
        lines_of(at.git({"rev-list", "--reverse", "--topo-order", of.good + ".." + of.bad}));
    if (commits.empty()) throw error("there is no commit after " + of.good + " up to " + of.bad);
    const auto look = [&](const std::string& commit) {
        const sight seen = at.look(commit);
        std::fprintf(out, "%.12s  %s\n", commit.c_str(), said(seen));
        std::fflush(out);
        return seen;
    };
    refuse_unless_shown(look(commits.back()), of, at.log_of(commits.back()));
    // [first, last): the first commit with the finding is among them or is commits[last].
    std::size_t first = 0;
    std::size_t last = commits.size() - 1;
    std::set<std::size_t> left_out;
    while (first < last && !interrupt_scope::requested.load()) {
        std::size_t middle = first + (last - first) / 2;
        while (middle < last && left_out.contains(middle)) ++middle;
        if (middle == last) {  // try before the middle
            middle = first;
            while (middle < last && left_out.contains(middle)) ++middle;
            if (middle == last) break;
        }
        switch (look(commits[middle])) {
            case sight::shown: last = middle; break;
            case sight::absent: first = middle + 1; break;
            case sight::unbuilt:
            case sight::unrun: left_out.insert(middle); break;
        }
    }
    return {commits.begin() + static_cast<std::ptrdiff_t>(first),
            commits.begin() + static_cast<std::ptrdiff_t>(last) + 1};
}

}  // namespace wedge::nightly
