// `verify`: checks certificates by the second reading of their scenarios.
#pragma once

#include <string>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/verify/certificate.hpp"

namespace wedge {

/// Uses no part of the engine. After a rejected file the other files are still checked.
class verify_command final : public subcommand {
public:
    const char* name() const override { return "verify"; }
    const char* purpose() const override {
        return "Verify certificates that `check --certificate` wrote, without the engine";
    }
    void add_options(CLI::App& options) override {
        options.add_option("FILE", paths_, "Certificates")->required()->type_name("");
    }
    int run(const invocation& call) override {
        int status = exit_status::clean;
        for (const std::string& path : paths_) {
            try {
                call.print(verify::certificate(read_text(path), path).check() + ", verified\n");
            } catch (const verify::rejected& why) {
                call.complain(std::string("rejected: ") + why.what());
                status = status == exit_status::clean ? exit_status::findings : status;
            } catch (const std::exception& why) {
                call.complain("cannot verify: " + std::string(why.what()));
                status = exit_status::misuse;
            }
        }
        return status;
    }

private:
    std::vector<std::string> paths_;
};

}  // namespace wedge
