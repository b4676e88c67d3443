#include "checked.hpp"

namespace bench {

wedge::scenario::check_result checked(const wedge::scenario::document& all,
                                      const wedge::scenario::check_options& options) {
    return wedge::scenario::check(all, options);
}

}  // namespace bench
