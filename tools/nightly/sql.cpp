#include "nightly/sql.hpp"

#include <sqlite3.h>

#include "wedge/core/check.hpp"

namespace wedge::nightly {

void sql_file::closer::operator()(sqlite3* file) const noexcept {
    sqlite3_close(file);
}

sql_file::sql_file(const std::string& path) : path_(path) {
    sqlite3* opened = nullptr;
    const int status =
        sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    file_.reset(opened);
    if (status != SQLITE_OK) fail();
    sqlite3_busy_timeout(opened, 10'000);
    run("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL");
}

void sql_file::fail() const {
    throw error(path_ + ": " +
                (file_ == nullptr ? "it cannot be opened" : sqlite3_errmsg(file_.get())));
}

void sql_file::run(const char* text) {
    if (sqlite3_exec(file_.get(), text, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

std::int64_t sql_file::last_row() const noexcept {
    return sqlite3_last_insert_rowid(file_.get());
}

void sql_query::finisher::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

sql_query::sql_query(const sql_file& file, std::string_view text) : file_(file) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(file.get(), text.data(), static_cast<int>(text.size()), &made,
                           nullptr) != SQLITE_OK)
        file.fail();
    statement_.reset(made);
}

sql_query& sql_query::bind(std::int64_t value) {
    if (sqlite3_bind_int64(statement_.get(), ++bound_, value) != SQLITE_OK) file_.fail();
    return *this;
}
sql_query& sql_query::bind(double value) {
    if (sqlite3_bind_double(statement_.get(), ++bound_, value) != SQLITE_OK) file_.fail();
    return *this;
}
sql_query& sql_query::bind(std::string_view value) {
    // SQLITE_TRANSIENT, without its cast of the old style: SQLite copies the text.
    const auto copied = reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1});
    if (sqlite3_bind_text(statement_.get(), ++bound_, value.data(), static_cast<int>(value.size()),
                          copied) != SQLITE_OK)
        file_.fail();
    return *this;
}

bool sql_query::next() {
    const int status = sqlite3_step(statement_.get());
    if (status == SQLITE_ROW) return true;
    if (status != SQLITE_DONE) file_.fail();
    return false;
}

std::int64_t sql_query::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}
double sql_query::real(int column) const {
    return sqlite3_column_double(statement_.get(), column);
}
std::string sql_query::text(int column) const {
    const unsigned char* const text = sqlite3_column_text(statement_.get(), column);
    if (text == nullptr) return {};
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return {reinterpret_cast<const char*>(text), size};
}

sql_transaction::sql_transaction(sql_file& file)
    : file_(file), is_open_(sqlite3_get_autocommit(file.get()) != 0) {
    if (is_open_) file_.run("BEGIN IMMEDIATE");
}

void sql_transaction::commit() {
    if (!is_open_) return;
    file_.run("COMMIT");
    is_open_ = false;
}

sql_transaction::~sql_transaction() {
    if (is_open_) sqlite3_exec(file_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace wedge::nightly
