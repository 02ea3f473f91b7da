// The reports read what the daemon's own schema offers.
#include <gtest/gtest.h>

#include <filesystem>

#include "coordinator/store/schema.h"
#include "reports/study.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

TEST(Schema, AStudyIsReadThroughTheDaemonsViews) {
  const StudyDatabase folder;
  const auto file = folder.folder() / "real.db";
  SQLite::Database db(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  coordinator::migrate(db, file.string());
  db.exec(R"sql(
    INSERT INTO grid (id, name, description, key, text, submitted, cancelled)
      VALUES (4, 'quickstart', '', 'key', '', 0, 0);
    INSERT INTO cell VALUES (1, 'c', 'deit_nano_patch4_32', 'none', 'relabel', 'fashion-bg',
                             'short', 3, 'fp32', '{}');
    INSERT INTO task (number, id, kind, cell, title, spec, state, place) VALUES
      (1, 'p', 'prepare', NULL, '', '{}', 'done', 0), (2, 't', 'train', 1, '', '{}', 'done', 1),
      (3, 'e', 'evaluate', 1, '', '{}', 'done', 2);
    INSERT INTO grid_cell VALUES (4, 0, 1);
    INSERT INTO grid_task VALUES (4, 0, 1), (4, 1, 2), (4, 2, 3);
    INSERT INTO worker (id, name, host, pid, ranks, device, boot_id, version, environment, gone)
      VALUES ('w', 'host:1', 'host', 1, 2, 'cpu', 'boot', '0.1', '{}', 0);
    INSERT INTO attempt VALUES (1, 2, 1, 'w', 'done', 1000, 1090, '', 100, 100, 'training', 0),
                               (2, 3, 1, 'w', 'done', 1090, 1091, '', 0, 0, '', 0);
    INSERT INTO metric VALUES (1, 'kappa.0', 50, 4, 0.25), (1, 'kappa.0', 100, 8, 0.5);
    INSERT INTO figure VALUES (3, 'raw', 'original', 'top1', 64.5, 1000, 2);
  )sql");
  const Study study = read_study(file, "quickstart");
  EXPECT_EQ(study.grid_id, 4);
  ASSERT_EQ(study.cells.size(), 1u);
  EXPECT_EQ(study.cells[0].labeler, "relabel");
  EXPECT_EQ(study.cells[0].seed, 3);
  EXPECT_EQ(study.tasks.at("t").state, "done");
  EXPECT_EQ(study.tasks.at("p").cell_id, "");
  EXPECT_EQ(study.figures.at({"c", "raw", "original", "top1"}).value, 64.5);
  EXPECT_EQ(study.kappa.at("c"), std::vector<double>{0.5});
  EXPECT_NEAR(study.train_seconds, 90, 1e-3);
}

}  // namespace
}  // namespace remixer::reports
