#include "core/dataset/boxes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/photographs.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Voc, GivesSizeNameAndBoxes) {
  const Annotation annotation =
      parse_voc(voc(500, 375, {{10, 20, 100, 200}, {0, 0, 5, 6}}), "a.xml");
  EXPECT_EQ(annotation.width, 500);
  EXPECT_EQ(annotation.height, 375);
  EXPECT_EQ(annotation.object, "n02084071");
  EXPECT_THAT(annotation.boxes, ElementsAre(Box{10, 20, 100, 200}, Box{0, 0, 5, 6}));
}

TEST(Voc, MayHaveNoObject) {
  EXPECT_THAT(parse_voc(voc(10, 10, {}), "a.xml").boxes, IsEmpty());
}

TEST(Voc, TornFilesAreNamed) {
  const std::string whole = voc(500, 375, {{10, 20, 100, 200}});
  EXPECT_THAT(input_error([&] { parse_voc(whole.substr(0, whole.size() / 2), "a.xml"); }),
              AllOf(HasSubstr("a.xml"), HasSubstr("torn")));
  EXPECT_THAT(input_error([&] { parse_voc("", "a.xml"); }), HasSubstr("a.xml"));
  std::string half = whole;
  half.replace(half.find("<xmax>100"), 9, "<xmax>");
  EXPECT_THAT(input_error([&] { parse_voc(half, "a.xml"); }), HasSubstr("<xmax>"));
}

TEST(FitBox, CutsVocsLastColumnAndRefusesTheRest) {
  Box whole{0, 0, 64, 48};  // VOC's way to write an image's last column and row
  EXPECT_EQ(fit_box(whole, 64, 48), "");
  EXPECT_EQ(whole, (Box{0, 0, 63, 47}));
  Box swapped{30, 0, 20, 10}, outside{0, 0, 66, 10}, beyond{64, 0, 64, 10}, negative{-1, 0, 5, 5};
  EXPECT_THAT(fit_box(swapped, 64, 48), HasSubstr("swapped"));
  EXPECT_THAT(fit_box(outside, 64, 48), HasSubstr("outside"));
  EXPECT_THAT(fit_box(beyond, 64, 48), HasSubstr("outside"));
  EXPECT_THAT(fit_box(negative, 64, 48), HasSubstr("outside"));
}

class BoxIndexTest : public ::testing::Test {
 protected:
  BoxIndex table(const std::string& text) {
    put(folder_.path() / "boxes.tsv", text);
    return BoxIndex::open(folder_.path() / "boxes.tsv");
  }
  std::string error(const std::string& text) {
    return input_error([&] { table(text); });
  }
  TemporaryFolder folder_;
};

TEST_F(BoxIndexTest, FindsAFoldersFilesFromTheEndOfThePath) {
  put(folder_.path() / "train/n01/n01_7.xml", voc(9, 9, {{1, 2, 3, 4}}));
  put(folder_.path() / "val/ILSVRC_1.xml", voc(9, 9, {{5, 5, 6, 6}}));
  put(folder_.path() / "a/same.xml", voc(9, 9, {{0, 0, 1, 1}}));
  put(folder_.path() / "b/same.xml", voc(9, 9, {{0, 0, 2, 2}}));
  const BoxIndex index = BoxIndex::open(folder_.path());
  EXPECT_EQ(index.size(), 4u);
  EXPECT_THAT(index.find("train/n01/n01_7.JPEG")->boxes, ElementsAre(Box{1, 2, 3, 4}));
  EXPECT_THAT(index.find("x/y/b/same.png")->boxes, ElementsAre(Box{0, 0, 2, 2}));
  // The annotation is in another folder; its name is found nowhere else.
  EXPECT_THAT(index.find("val/n09/ILSVRC_1.JPEG")->boxes, ElementsAre(Box{5, 5, 6, 6}));
  EXPECT_FALSE(index.find("c/same.png"));
  EXPECT_FALSE(index.find("train/n01/n01_8.JPEG"));
}

TEST_F(BoxIndexTest, ReadsTablesWithAndWithoutNames) {
  for (const char* text : {"cat/1.jpg\t1\t2\t3\t4\n", "cat/1.jpg\tn01\t1\t2\t3\t4\n",
                           "image,xmin,ymin,xmax,ymax\ncat/1.jpg,1,2,3,4\n",
                           "cat/1.jpg 1 2 3 4\r\n", "y1\tpath\tx0\ty0\tx1\n4\tcat/1.jpg\t1\t2\t3\n",
                           "ImageId,PredictionString\n1,n01 1 2 3 4 \n"}) {
    const auto annotation = table(text).find("train/cat/1.jpg");
    ASSERT_TRUE(annotation) << text;
    EXPECT_THAT(annotation->boxes, ElementsAre(Box{1, 2, 3, 4})) << text;
  }
  EXPECT_EQ(table("cat/1.jpg n01 1 2 3 4\n").find("cat/1.jpg")->object, "n01");
}

TEST_F(BoxIndexTest, SeveralLinesAreSeveralBoxes) {
  const BoxIndex index = table("a.jpg 1 2 3 4\nb.jpg 0 0 1 1\na.jpg 5 6 7 8\n");
  EXPECT_THAT(index.find("a.jpg")->boxes, ElementsAre(Box{1, 2, 3, 4}, Box{5, 6, 7, 8}));
  EXPECT_THAT(index.images(), ElementsAre("a.jpg", "b.jpg"));
}

TEST_F(BoxIndexTest, BadLinesAreNamed) {
  EXPECT_THAT(error("a.jpg 1 2 3 4\na.jpg 1 2 3\n"), HasSubstr("boxes.tsv:2: 4 columns"));
  EXPECT_THAT(error("a.jpg 1 2 three 4\n"),
              AllOf(HasSubstr("boxes.tsv:1"), HasSubstr("\"three\"")));
  EXPECT_THAT(error("image,x0,y0,x1\n"), HasSubstr("must hold image, x0, y0, x1 and y1"));
  EXPECT_THAT(error("a.jpg 1 2\n"), HasSubstr("boxes.tsv:1: 3 columns"));
  EXPECT_THAT(input_error([&] { BoxIndex::open(folder_.path() / "gone"); }), HasSubstr("gone"));
}

}  // namespace
}  // namespace remixer::data
