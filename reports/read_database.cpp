// SPDX-License-Identifier: Apache-2.0
#include "reports/read_database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cctype>
#include <string>

#include "base/error.h"

namespace remixer::reports {
namespace {

namespace fs = std::filesystem;

constexpr int kBusyMilliseconds = 5000;

// A path encoded for a URI.
std::string uri(const fs::path& file) {
  std::string text = "file:";
  for (const char c : fs::absolute(file).string()) {
    const auto code = static_cast<unsigned char>(c);
    text += std::isalnum(code) || c == '/' || c == '.' || c == '-' || c == '_'
                ? std::string(1, c)
                : fmt::format("%{:02X}", code);
  }
  return text;
}

std::unique_ptr<SQLite::Database> open(const fs::path& file, const char* mode) {
  auto database = std::make_unique<SQLite::Database>(
      uri(file) + mode, SQLite::OPEN_READONLY | SQLite::OPEN_URI, kBusyMilliseconds);
  // The first page is read only on the first query.
  database->execAndGet("SELECT count(*) FROM sqlite_master");
  return database;
}

}  // namespace

std::unique_ptr<SQLite::Database> open_for_reading(const fs::path& file) {
  if (!fs::is_regular_file(file)) {
    fail_input("{} does not exist: nothing was run in this workspace yet (`remixer run GRID`)",
               file.string());
  }
  try {
    return open(file, "?mode=ro");
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    // For a -wal file SQLite needs an index file beside it, which it can't create here.
    const bool closed = code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
    std::error_code ignored;
    const fs::path changes = file.string() + "-wal";
    if (closed && fs::exists(changes, ignored) && fs::file_size(changes, ignored) > 0) {
      fail_input(
          "{} has changes beside it ({}) that only its owner can read: start and end its daemon "
          "(`remixer up`, `remixer down`), or copy both files to a folder that you may write",
          file.string(), changes.filename().string());
    }
    if (!closed) throw;
  }
  return open(file, "?mode=ro&immutable=1");
}

std::vector<std::string> grid_names(const SQLite::Database& database) {
  SQLite::Statement query(database, "SELECT DISTINCT name FROM grid ORDER BY name");
  std::vector<std::string> names;
  while (query.executeStep()) names.push_back(query.getColumn(0).getString());
  return names;
}

}  // namespace remixer::reports
