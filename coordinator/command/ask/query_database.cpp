#include "coordinator/command/ask/query_database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace remixer::coordinator::command {
namespace {

constexpr int kBusyMilliseconds = 5000;

using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

// Reading only; so no ATTACH, PRAGMA or write gets as far as being run.
int allow_reading(void*, int action, const char*, const char*, const char*, const char*) {
  const bool reads = action == SQLITE_SELECT || action == SQLITE_READ ||
                     action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE;
  return reads ? SQLITE_OK : SQLITE_DENY;
}

[[noreturn]] void fail_sql(sqlite3* database) {
  if (sqlite3_errcode(database) == SQLITE_AUTH) {
    fail_input("the query would do more than read; only SELECT is possible here");
  }
  fail_input("the query cannot be run: {}", sqlite3_errmsg(database));
}

Statement prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int code =
      sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()) + 1, &raw, &rest);
  Statement statement(raw, sqlite3_finalize);
  if (code != SQLITE_OK) fail_sql(database);
  if (!statement) fail_input("the query is empty: give a SELECT");
  // What is left may be blanks or comments, which make no statement.
  sqlite3_stmt* second = nullptr;
  const int more = sqlite3_prepare_v2(database, rest, -1, &second, nullptr);
  const Statement unwanted(second, sqlite3_finalize);
  if (more != SQLITE_OK || second != nullptr) fail_input("the query is more than one statement");
  return statement;
}

Json value_of(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return nullptr;
    default:
      break;
  }
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

void add_condition(std::string& sql, std::vector<std::string>& values, const char* column,
                   const std::vector<std::string>& wanted) {
  if (wanted.empty()) return;
  sql += fmt::format("{}{} IN (", values.empty() ? " WHERE " : " AND ", column);
  for (size_t i = 0; i < wanted.size(); ++i) sql += i > 0 ? ", ?" : "?";
  sql += ")";
  values.insert(values.end(), wanted.begin(), wanted.end());
}

}  // namespace

Table query_database(const std::filesystem::path& file, const std::string& sql,
                     const std::vector<std::string>& values) {
  if (!std::filesystem::is_regular_file(file)) {
    fail_input("{} does not exist: nothing was run in this workspace yet (`remixer run GRID`)",
               file.string());
  }
  SQLite::Database database(file.string(), SQLite::OPEN_READONLY, kBusyMilliseconds);
  sqlite3* handle = database.getHandle();
  // The schema is read before the authorizer stands in its way.
  database.execAndGet("SELECT count(*) FROM sqlite_master");
  sqlite3_set_authorizer(handle, allow_reading, nullptr);
  const Statement statement = prepare(handle, sql);
  const int columns = sqlite3_column_count(statement.get());
  if (sqlite3_stmt_readonly(statement.get()) == 0 || columns == 0) {
    fail_input("the query would do more than read; only SELECT is possible here");
  }
  for (size_t i = 0; i < values.size(); ++i) {
    sqlite3_bind_text(statement.get(), static_cast<int>(i) + 1, values[i].c_str(), -1,
                      SQLITE_TRANSIENT);
  }
  std::vector<Column> names;
  for (int i = 0; i < columns; ++i) names.push_back({sqlite3_column_name(statement.get(), i)});
  Table table(names);
  int code = 0;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    std::vector<Json> row;
    for (int i = 0; i < columns; ++i) row.push_back(value_of(statement.get(), i));
    table.add_row(std::move(row));
  }
  if (code != SQLITE_DONE) fail_sql(handle);
  return table;
}

bool add_filter(ResultFilter& filter, const std::string& text) {
  const size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const bool word = equals != std::string::npos &&
                    std::all_of(name.begin(), name.end(),
                                [](unsigned char c) { return std::isalpha(c) || c == '_'; });
  if (!word || name.empty()) return false;
  const std::pair<const char*, std::vector<std::string>*> known[] = {
      {"architecture", &filter.architecture},
      {"spatial_prior", &filter.spatial_prior},
      {"labeler", &filter.labeler},
      {"train_set", &filter.train_set},
      {"recipe", &filter.recipe},
      {"seed", &filter.seed},
      {"eval_set", &filter.eval_set},
      {"metric", &filter.metric},
      {"weights", &filter.weights}};
  std::string value = text.substr(equals + 1);
  if (name == "grid") {
    filter.grid = value;
    return true;
  }
  std::vector<std::string> names{"grid"};
  for (const auto& [column, values] : known) {
    names.emplace_back(column);
    if (name != column) continue;
    for (size_t at = 0; at <= value.size();) {
      const size_t end = std::min(value.find(',', at), value.size());
      values->push_back(value.substr(at, end - at));
      at = end + 1;
    }
    return true;
  }
  fail_input("there is no filter {}; figures can be filtered by {}", name, fmt::join(names, ", "));
}

std::string filter_sql(const ResultFilter& filter, std::vector<std::string>& values) {
  std::string sql =
      "SELECT architecture, spatial_prior, labeler, train_set, recipe, seed, weights, eval_set, "
      "metric, value, n FROM results";
  add_condition(sql, values, "architecture", filter.architecture);
  add_condition(sql, values, "spatial_prior", filter.spatial_prior);
  add_condition(sql, values, "labeler", filter.labeler);
  add_condition(sql, values, "train_set", filter.train_set);
  add_condition(sql, values, "recipe", filter.recipe);
  add_condition(sql, values, "seed", filter.seed);
  add_condition(sql, values, "eval_set", filter.eval_set);
  add_condition(sql, values, "metric", filter.metric);
  add_condition(sql, values, "weights", filter.weights);
  if (!filter.grid.empty()) {
    sql += values.empty() ? " WHERE " : " AND ";
    sql += "cell_id IN (SELECT cell_id FROM grid_cells WHERE grid = ?)";
    values.push_back(filter.grid);
  }
  return sql + " ORDER BY architecture, spatial_prior, labeler, seed, weights, eval_set, metric";
}

}  // namespace remixer::coordinator::command
