// SPDX-License-Identifier: Apache-2.0
// The database's schema: its versions and the migrations between them. docs/database.md describes
// the tables and the views that other programs may rely on.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace remixer::coordinator {

constexpr int kApplicationId = 0x524D4958;  // "RMIX", in the file header
constexpr int kSchemaVersion = 4;

// Migrates a database to `version`, each step in its own transaction, so that a crash leaves a
// complete version. Throws InputError if the file is another program's database or has a newer
// version. `name` is the file name in messages. Foreign keys must be disabled during the migration.
void migrate(SQLite::Database& database, const std::string& name, int version = kSchemaVersion);

}  // namespace remixer::coordinator
