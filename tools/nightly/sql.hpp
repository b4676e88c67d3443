// SQLite, as far as the findings database needs it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace wedge::nightly {

/// An open database file. Not for several threads at once; several processes may use one file,
/// each of which waits up to ten seconds for another one's write.
class sql_file {
public:
    /// @throws error  it cannot be opened
    explicit sql_file(const std::string& path);

    /// Runs statements that return nothing.
    void run(const char* text);

    sqlite3* get() const noexcept { return file_.get(); }
    const std::string& path() const noexcept { return path_; }
    std::int64_t last_row() const noexcept;
    [[noreturn]] void fail() const;

private:
    struct closer {
        void operator()(sqlite3* file) const noexcept;
    };
    std::string path_;
    std::unique_ptr<sqlite3, closer> file_;
};

/// One statement with its values.
///
///     sql_query all(file, "SELECT name FROM job WHERE night = ?");
///     all.bind(night);
///     while (all.next()) use(all.text(0));
class sql_query {
public:
    sql_query(const sql_file& file, std::string_view text);

    sql_query& bind(std::int64_t value);
    sql_query& bind(double value);
    sql_query& bind(std::string_view value);

    bool next();  ///< whether there is another row
    void run() {
        while (next()) {
        }
    }

    std::int64_t number(int column) const;
    double real(int column) const;
    std::string text(int column) const;

private:
    struct finisher {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    const sql_file& file_;
    std::unique_ptr<sqlite3_stmt, finisher> statement_;
    int bound_ = 0;
};

/// Everything between its construction and `commit` is written, or nothing. A transaction within
/// another one is a part of it.
class sql_transaction {
public:
    explicit sql_transaction(sql_file& file);
    sql_transaction(const sql_transaction&) = delete;
    sql_transaction& operator=(const sql_transaction&) = delete;
    ~sql_transaction();
    void commit();

private:
    sql_file& file_;
    bool is_open_;  ///< this one has begun it, and has not ended it
};

}  // namespace wedge::nightly
