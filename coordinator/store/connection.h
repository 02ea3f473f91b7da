// SPDX-License-Identifier: Apache-2.0
// The store's connection with its prepared statements; shared by the store's source files.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "coordinator/store/store.h"

namespace remixer::coordinator {

struct Store::Connection {
  Connection(const std::string& file, int checkpoint_pages, std::chrono::milliseconds patience);
  // Read-only snapshot of the current state.
  Connection(std::unique_ptr<SQLite::Database> readable, const std::string& name);

  // The statement for this text: prepared once, then reset and without bindings.
  SQLite::Statement& prepared(const char* sql);

  // Binds the values in order and runs a statement without result rows; returns the rows changed.
  template <typename... Values>
  int run(const char* sql, const Values&... values) {
    SQLite::Statement& statement = prepared(sql);
    int index = 0;
    (statement.bind(++index, values), ...);
    return statement.exec();
  }

  std::unique_ptr<SQLite::Database> own;
  SQLite::Database& database = *own;
  bool reading = false;
  std::map<const char*, SQLite::Statement> statements;  // by address of the literal
};

// Throws SQLite's error as an Error of this program, with advice if there is any.
[[noreturn]] void rethrow(const SQLite::Exception& error, const std::string& what);

}  // namespace remixer::coordinator
