// Checks certificates of `wedge check --certificate`, without any part of the engine.
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>

#include "wedge/verify/certificate.hpp"

int main(int argc, char** argv) {
    int status = argc < 2 ? 2 : 0;
    if (argc < 2) std::fprintf(stderr, "usage: wedge_verify CERTIFICATE…\n");
    for (int i = 1; i < argc; ++i) {
        try {
            const std::ifstream in(argv[i]);
            if (!in)
                throw wedge::verify::cannot_verify(std::string(argv[i]) + ": it cannot be read");
            std::ostringstream text;
            text << in.rdbuf();
            wedge::verify::certificate certificate(text.str(), argv[i]);
            std::printf("%s, verified\n", certificate.check().c_str());
        } catch (const wedge::verify::rejected& why) {
            std::fprintf(stderr, "rejected: %s\n", why.what());
            status = std::max(status, 1);
        } catch (const std::exception& why) {
            std::fprintf(stderr, "cannot verify: %s: %s\n", argv[i], why.what());
            status = 2;
        }
    }
    return status;
}
