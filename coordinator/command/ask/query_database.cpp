// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/query_database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/nearest_name.h"
#include "reports/read_database.h"

namespace remixer::coordinator::command {
namespace {

using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

// Allows only reading, so that ATTACH, PRAGMA and writes are rejected before they run.
int allow_reading(void*, int action, const char*, const char*, const char*, const char*) {
  const bool reads = action == SQLITE_SELECT || action == SQLITE_READ ||
                     action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE;
  return reads ? SQLITE_OK : SQLITE_DENY;
}

// Ends a query at its time limit.
struct Watch {
  explicit Watch(const QueryLimits& given)
      : limits(given), end(system_clock().monotonic() + given.seconds) {
    // This limit is process-wide; only one query runs at a time.
    before = sqlite3_hard_heap_limit64(limits.bytes);
  }
  ~Watch() { sqlite3_hard_heap_limit64(before); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  static int look(void* self) {
    auto* watch = static_cast<Watch*>(self);
    watch->late = system_clock().monotonic() > watch->end;
    return watch->late ? 1 : 0;
  }

  const QueryLimits& limits;
  double end;
  bool late = false;
  sqlite3_int64 before = 0;
};

[[noreturn]] void fail_sql(sqlite3* database, const Watch& watch) {
  const int code = sqlite3_errcode(database);
  if (code == SQLITE_INTERRUPT && watch.late) {
    fail_input("the query takes longer than {} s; ask for less, or give --timeout SECONDS",
               watch.limits.seconds);
  }
  if (code == SQLITE_NOMEM || code == SQLITE_TOOBIG) {
    fail_input("the query needs more than {} MiB of memory; ask for less",
               watch.limits.bytes >> 20);
  }
  if (code == SQLITE_AUTH) {
    fail_input("the query would do more than read; only SELECT is possible here");
  }
  fail_input("the query cannot be run: {}", sqlite3_errmsg(database));
}

Statement prepare(sqlite3* database, const std::string& sql, const Watch& watch) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int code =
      sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()) + 1, &raw, &rest);
  Statement statement(raw, sqlite3_finalize);
  if (code != SQLITE_OK) fail_sql(database, watch);
  if (!statement) fail_input("the query is empty: give a SELECT");
  // The rest may be blanks or comments, which are no statement.
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
                     const std::vector<std::string>& values, const QueryLimits& limits) {
  // Read the schema before the authorizer forbids it.
  const auto database = reports::open_for_reading(file);
  sqlite3* handle = database->getHandle();
  Watch watch(limits);
  constexpr int kStepsBetweenLooks = 10'000;
  sqlite3_progress_handler(handle, kStepsBetweenLooks, Watch::look, &watch);
  sqlite3_set_authorizer(handle, allow_reading, nullptr);
  const Statement statement = prepare(handle, sql, watch);
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
  int64_t rows = 0, bytes = 0;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    std::vector<Json> row;
    for (int i = 0; i < columns; ++i) {
      row.push_back(value_of(statement.get(), i));
      bytes += static_cast<int64_t>(sizeof(Json)) + sqlite3_column_bytes(statement.get(), i);
    }
    if (++rows > limits.rows) {
      fail_input("the query gives more than {} rows; ask for less (LIMIT), or give --max-rows N",
                 limits.rows);
    }
    if (bytes > limits.bytes) {
      fail_input("the query's answer is larger than {} MiB; ask for less (LIMIT)",
                 limits.bytes >> 20);
    }
    table.add_row(std::move(row));
  }
  if (code != SQLITE_DONE) fail_sql(handle, watch);
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

void check_filter(const std::filesystem::path& file, const ResultFilter& filter) {
  const auto database = reports::open_for_reading(file);
  const auto check = [&](const char* what, const std::vector<std::string>& wanted,
                         const std::string& sql) {
    if (wanted.empty()) return;
    std::vector<std::string> known;
    SQLite::Statement rows(*database, sql);
    while (rows.executeStep()) known.push_back(rows.getColumn(0).getString());
    if (known.empty()) return;  // no values yet, so nothing to check
    for (const std::string& value : wanted) {
      if (std::find(known.begin(), known.end(), value) != known.end()) continue;
      const auto near = nearest_name(value, known);
      fail_input("no {} is '{}'{}; there are {}", what, value,
                 near ? fmt::format("; did you mean '{}'?", *near) : "", fmt::join(known, ", "));
    }
  };
  const auto of_cells = [](const char* column) {
    return fmt::format(
        "SELECT DISTINCT {0} FROM cells UNION SELECT DISTINCT {0} FROM results "
        "ORDER BY 1",
        column);
  };
  const auto of_results = [](const char* column) {
    return fmt::format("SELECT DISTINCT {} FROM results ORDER BY 1", column);
  };
  check("architecture", filter.architecture, of_cells("architecture"));
  check("spatial prior", filter.spatial_prior, of_cells("spatial_prior"));
  check("labeler", filter.labeler, of_cells("labeler"));
  check("train set", filter.train_set, of_cells("train_set"));
  check("recipe", filter.recipe, of_cells("recipe"));
  check("seed", filter.seed, of_cells("seed"));
  check("evaluation set", filter.eval_set, of_results("eval_set"));
  check("metric", filter.metric, of_results("metric"));
  check("kind of weights", filter.weights, of_results("weights"));
  if (!filter.grid.empty()) {
    check("grid", {filter.grid}, "SELECT DISTINCT grid FROM grid_cells ORDER BY 1");
  }
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
