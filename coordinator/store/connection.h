// SPDX-License-Identifier: Apache-2.0
// The store's connection with its prepared statements; shared by the files of the store.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <memory>
#include <string>

#include "coordinator/store/store.h"

namespace remixer::coordinator {

struct Store::Connection {
  Connection(const std::string& file, int checkpoint_pages);
  // To read alone, as of now.
  Connection(std::unique_ptr<SQLite::Database> readable, const std::string& name);

  // The statement of this text, prepared once, reset and without bindings.
  SQLite::Statement& prepared(const char* sql);

  // Binds the values in order and runs a statement that returns no rows; how many it changed.
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
  std::map<const char*, SQLite::Statement> statements;  // by the literal's address
};

// Throws what SQLite said as an Error of ours, with advice where there is some.
[[noreturn]] void rethrow(const SQLite::Exception& error, const std::string& what);

}  // namespace remixer::coordinator
