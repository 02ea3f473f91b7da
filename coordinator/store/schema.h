// SPDX-License-Identifier: Apache-2.0
// The database's schema: its versions and how an older one becomes the newest. docs/database.md
// describes the tables and the views that others may rely on.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace remixer::coordinator {

constexpr int kApplicationId = 0x524D4958;  // "RMIX", in the file's header
constexpr int kSchemaVersion = 4;

// Brings a database to `version`, each step in a transaction of its own, so that a crash leaves a
// whole version. Throws InputError where the file is another program's database or a newer
// version's. `name` stands for the file in messages. Foreign keys must not be enforced meanwhile.
void migrate(SQLite::Database& database, const std::string& name, int version = kSchemaVersion);

}  // namespace remixer::coordinator
