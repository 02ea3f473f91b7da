// SPDX-License-Identifier: Apache-2.0
// Published maps and masks as label files.
#include "labelcache/importers/label_import.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <bit>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/label_file_reader.h"
#include "labelcache/labelers/label_job.h"
#include "tests/labelcache/input_error.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::labelcache {
namespace {

using ::testing::HasSubstr;

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string pickled(const at::Tensor& tensor) {
  const auto bytes = torch::jit::pickle_save(tensor);
  return {bytes.begin(), bytes.end()};
}

// As the released generators store one: [2, k, side, side] of float16, permuted from cells by
// ranks.
at::Tensor released_map(int64_t top_k, int64_t side, float number) {
  at::Tensor values = at::zeros({side, side, top_k}), classes = at::zeros({side, side, top_k});
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) {
      for (int64_t r = 0; r < top_k; ++r) {
        values[y][x][r] = number + 10 - static_cast<float>(r) + static_cast<float>(x) / 8;
        classes[y][x][r] = static_cast<float>(y * side + x + r * 100);
      }
    }
  }
  return at::stack({values.to(at::kHalf), classes.to(at::kHalf)}).permute({0, 3, 1, 2});
}

std::string npy(const std::string& type, const std::string& shape, const std::string& data,
                bool by_column = false) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", type,
                                   by_column ? "True" : "False", shape);
  header.resize((header.size() + 10 + 63) / 64 * 64 - 10, ' ');
  std::string bytes("\x93NUMPY\x01\x00", 8);
  append(bytes, static_cast<uint16_t>(header.size()));
  return bytes + header + data;
}

class ImportTest : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_tiny_dataset(dataset_, 7, 3); }

  ImportJob job(const std::string& format) const {
    ImportJob job;
    job.format = format;
    job.maps = maps_;
    job.dataset = dataset_;
    job.split = "train";
    job.output = output_;
    job.whole_images = true;
    return job;
  }
  std::vector<data::Sample> samples() const {
    return data::Dataset::open(dataset_, "train").samples();
  }
  // A map for each sample, by its last folder and its name up to the dot.
  void write_maps(const std::string& suffix, const std::function<std::string(size_t)>& bytes_of) {
    const auto all = samples();
    for (size_t i = 0; i < all.size(); ++i) {
      const fs::path id(all[i].id);
      write(maps_ / id.parent_path().filename() / (id.stem().string() + suffix), bytes_of(i));
    }
  }

  testing::ScratchFolder scratch_{"import"};
  fs::path dataset_ = scratch_ / "dataset", maps_ = scratch_ / "maps",
           output_ = scratch_ / "a.labels";
};

TEST_F(ImportTest, TakesTokenLabelingsMapsAsTheyAre) {
  write_maps(".pt", [](size_t i) { return pickled(released_map(5, 18, static_cast<float>(i))); });
  const ImportOutcome outcome = import_labels(job("tokenlabeling"));
  EXPECT_EQ(outcome.images, 7);
  EXPECT_EQ(outcome.missing, 0);
  const LabelFileReader reader(output_);
  EXPECT_EQ(reader.content_sha256(), outcome.content_sha256);
  EXPECT_EQ(reader.provenance().labeler.at("format"), "tokenlabeling");
  const auto map = reader.map(samples()[2].id);
  EXPECT_EQ(map.height, 18);
  EXPECT_EQ(map.top_k, 5);
  for (int y = 0; y < 18; ++y) {
    for (int x = 0; x < 18; ++x) {
      for (int r = 0; r < 5; ++r) {
        const auto at = static_cast<size_t>((y * 18 + x) * 5 + r);
        ASSERT_EQ(map.values[at], 2 + 10 - static_cast<float>(r) + static_cast<float>(x) / 8);
        ASSERT_EQ(map.indices[at], y * 18 + x + r * 100);
      }
    }
  }
  EXPECT_EQ(map.cover, data::Cover());  // these images are square
  EXPECT_NO_THROW(
      open_labels(output_, data::Dataset::open(dataset_, "train").content_hash(), "train"));
}

// TokenLabeling's were made of each photograph's centre square, ReLabel's of all of it.
TEST_F(ImportTest, MapsCoverWhatTheyWereMadeOf) {
  // One image is twice as wide as high.
  const auto wide = samples()[1];
  data::write_png(dataset_ / wide.id, data::Image(64, 32));
  for (const auto& [format, side, cover] :
       {std::tuple{"tokenlabeling", 18, data::Cover{0.25f, 0, 0.75f, 1}},
        std::tuple{"relabel", 15, data::Cover()}}) {
    write_maps(".pt", [&](size_t) { return pickled(released_map(5, side, 0)); });
    import_labels(job(format));
    EXPECT_EQ(LabelFileReader(output_).map(wide.id).cover, cover) << format;
    EXPECT_EQ(LabelFileReader(output_).map(samples()[0].id).cover, data::Cover());
    ImportJob released = job(format);
    released.as_released = true;
    import_labels(released);
    EXPECT_EQ(LabelFileReader(output_).map(wide.id).cover, data::Cover());
  }
}

// Images of one size are crops of the photographs unless somebody says that they are not.
TEST_F(ImportTest, MapsOfCroppedImagesArePlacedByTheCropOrRefused) {
  write_maps(".pt", [](size_t) { return pickled(released_map(5, 18, 0)); });
  ImportJob given = job("tokenlabeling");
  given.whole_images = false;
  EXPECT_THAT(input_error([&] { import_labels(given); }), HasSubstr("--crop"));
  given.crop = 0.875;
  import_labels(given);
  // The photograph's centre square is 8/7 of the image.
  const data::Cover square = LabelFileReader(output_).map(samples()[1].id).cover;
  EXPECT_FLOAT_EQ(square.left, -1.0f / 14);
  EXPECT_FLOAT_EQ(square.bottom, 15.0f / 14);
  given.whole_images = true;
  EXPECT_THROW(import_labels(given), InputError);

  write_maps(".pt", [](size_t) { return pickled(released_map(5, 15, 0)); });
  given = job("relabel");
  given.whole_images = false;
  given.crop = 0.875;
  EXPECT_THAT(input_error([&] { import_labels(given); }), HasSubstr("--originals"));
  given.originals = scratch_ / "photographs";
  EXPECT_THAT(input_error([&] { import_labels(given); }), HasSubstr("no photograph of"));
  for (const auto& sample : samples()) {
    const fs::path id(sample.id);
    fs::create_directories(given.originals / id.parent_path().filename());
    data::write_png(given.originals / id.parent_path().filename() / id.filename(),
                    data::Image(80, 40));
  }
  import_labels(given);
  const data::Cover whole = LabelFileReader(output_).map(samples()[1].id).cover;
  EXPECT_FLOAT_EQ(whole.left, -(80 / 35.0f - 1) / 2);
  EXPECT_FLOAT_EQ(whole.right, 1 + (80 / 35.0f - 1) / 2);
  EXPECT_FLOAT_EQ(whole.top, -1.0f / 14);
}

// Our own ImageNet-9 records the crop that made its images.
TEST_F(ImportTest, TheCropIsTheOneThatMadeTheDataset) {
  write_maps(".pt", [](size_t) { return pickled(released_map(5, 18, 0)); });
  auto manifest = Json::parse(read_file(dataset_ / "manifest.json"));
  manifest["spec"] = {{"builder", "imagenet9"}, {"image_size", 30}, {"resize", 40}};
  write(dataset_ / "manifest.json", manifest.dump());
  ImportJob given = job("tokenlabeling");
  given.whole_images = false;
  import_labels(given);
  EXPECT_FLOAT_EQ(LabelFileReader(output_).map(samples()[0].id).cover.left, -1.0f / 6);
}

// The same names and sizes with other contents are other maps.
TEST_F(ImportTest, TheHashOfAnImportCoversContents) {
  const auto hash = [&](float number) {
    write_maps(".pt", [&](size_t) { return pickled(released_map(5, 18, number)); });
    import_labels(job("tokenlabeling"));
    return LabelFileReader(output_).provenance().labeler.at("files_sha256").get<std::string>();
  };
  EXPECT_EQ(hash(0), hash(0));
  EXPECT_NE(hash(0), hash(1));
}

TEST_F(ImportTest, TheCentreSquareOfAnImage) {
  EXPECT_EQ(centre_square(500, 500), data::Cover());
  const data::Cover tall = centre_square(300, 400);
  EXPECT_FLOAT_EQ(tall.top, 0.125f);
  EXPECT_FLOAT_EQ(tall.bottom, 0.875f);
  EXPECT_EQ(tall.left, 0);
  EXPECT_EQ(tall.right, 1);
}

TEST_F(ImportTest, TakesMasksOfPngAndNumpy) {
  write_maps(".png", [](size_t i) {
    data::GrayImage mask(16, 8);
    mask.at(static_cast<int>(i), 3) = 255;
    return data::encode_png(mask);
  });
  import_labels(job("png"));
  const auto map = LabelFileReader(output_).map(samples()[4].id);
  EXPECT_EQ(map.width, 16);
  EXPECT_EQ(map.height, 8);
  for (size_t at = 0; at < map.values.size(); ++at)
    EXPECT_EQ(map.values[at], at == 3 * 16 + 4 ? 1.0f : 0.0f);

  write_maps(".npy", [](size_t i) {
    std::string cells(6, '\0');
    cells[i % 6] = 1;
    return npy("|b1", "2, 3", cells);
  });
  import_labels(job("npy"));
  EXPECT_EQ(LabelFileReader(output_).map(samples()[4].id).values,
            (std::vector<float>{0, 0, 0, 0, 1, 0}));
}

TEST_F(ImportTest, NumpysTypesAndOrdersMeanWhatTheySay) {
  const fs::path file = scratch_ / "m.npy";
  const auto values = [&](const std::string& bytes) {
    write(file, bytes);
    return read_numpy_mask(file).values;
  };
  EXPECT_EQ(values(npy("|u1", "2, 2", std::string("\x00\xff\x33\x00", 4))),
            (std::vector<float>{0, 1, 0.2f, 0}));
  EXPECT_EQ(values(npy("|u1", "2, 2", std::string("\x00\x01\x01\x00", 4))),
            (std::vector<float>{0, 1, 1, 0}));
  std::string floats, doubles, longs;
  for (const double v : {0.25, 0.5, 0.0, 1.0}) {
    append(floats, static_cast<float>(v));
    append(doubles, v);
    append(longs, static_cast<int64_t>(v));
  }
  EXPECT_EQ(values(npy("<f4", "2, 2", floats)), (std::vector<float>{0.25f, 0.5f, 0, 1}));
  EXPECT_EQ(values(npy("<f8", "2, 2, 1", doubles)), (std::vector<float>{0.25f, 0.5f, 0, 1}));
  EXPECT_EQ(values(npy("<f4", "2, 2", floats, true)), (std::vector<float>{0.25f, 0, 0.5f, 1}));
  EXPECT_EQ(values(npy("<i8", "2, 2", longs)), (std::vector<float>{0, 0, 0, 1}));
  const auto refusal = [&](const std::string& bytes) {
    write(file, bytes);
    return input_error([&] { read_numpy_mask(file); });
  };
  for (const std::string& wrong :
       {std::string(), std::string("PK"), npy("<f4", "2, 2", floats).substr(0, 40),
        npy("<f4", "2, 3", floats), npy("<c8", "1, 2", floats), npy("<f4", "4", floats),
        npy("<f4", "2, 2", floats).substr(0, 130),
        npy("<i8", "1, 1", std::string("\x07\0\0\0\0\0\0\0", 8))}) {
    EXPECT_THAT(refusal(wrong), HasSubstr("m.npy")) << wrong.size();
  }
}

TEST_F(ImportTest, MissingMapsAreCountedAndTheFirstNamed) {
  write_maps(".pt", [](size_t) { return pickled(released_map(5, 18, 0)); });
  for (const size_t i : {2, 5}) {
    const fs::path id(samples()[i].id);
    fs::remove(maps_ / id.parent_path().filename() / (id.stem().string() + ".pt"));
  }
  const std::string message = input_error([&] { import_labels(job("tokenlabeling")); });
  EXPECT_THAT(message, HasSubstr("2 of 7"));
  EXPECT_THAT(message, HasSubstr(samples()[2].id));
  EXPECT_FALSE(fs::exists(output_));
  ImportJob lenient = job("tokenlabeling");
  lenient.allow_missing = true;
  EXPECT_EQ(import_labels(lenient).missing, 2);
  EXPECT_EQ(LabelFileReader(output_).map(samples()[5].id).values, std::vector<float>(5, 0.0f));
  lenient.maps = dataset_;  // none at all is a mistake, whatever is allowed
  EXPECT_THAT(input_error([&] { import_labels(lenient); }), HasSubstr("7 of 7"));
}

TEST_F(ImportTest, TornMapsAndOtherSizesAreNamedAndNothingIsPublished) {
  const std::string good = pickled(released_map(5, 18, 0));
  const fs::path fourth(samples()[4].id);
  const std::string name = fourth.stem().string() + ".pt";
  const fs::path bad = maps_ / fourth.parent_path().filename() / name;
  at::Tensor outside = released_map(5, 18, 0).contiguous();
  outside[1][0][0][0] = 1000;
  at::Tensor infinite = released_map(5, 18, 0).contiguous();
  infinite[0][0][0][0] = INFINITY;
  for (const std::string& wrong :
       {std::string(), good.substr(0, good.size() / 2), std::string("\x80\x02legacy"),
        pickled(released_map(5, 15, 0)), pickled(released_map(4, 18, 0)),
        pickled(at::zeros({5, 18, 18})), pickled(outside), pickled(infinite)}) {
    write_maps(".pt", [&](size_t) { return good; });
    write(bad, wrong);
    EXPECT_THAT(input_error([&] { import_labels(job("tokenlabeling")); }), HasSubstr(name))
        << wrong.size();
    EXPECT_FALSE(fs::exists(output_));
  }
  // Mended, the import goes on and is the same as if it had never been cut.
  write(bad, good);
  const std::string content = import_labels(job("tokenlabeling")).content_sha256;
  fs::remove(output_);
  EXPECT_EQ(import_labels(job("tokenlabeling")).content_sha256, content);
}

TEST_F(ImportTest, UnknownFormatsAndFoldersAreNamed) {
  EXPECT_THAT(input_error([&] { import_labels(job("tokenlabelling")); }),
              HasSubstr("tokenlabeling"));
  EXPECT_THAT(input_error([&] { import_labels(job("png")); }), HasSubstr("maps"));
}

}  // namespace
}  // namespace remixer::labelcache
