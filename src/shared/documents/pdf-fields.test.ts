import { expect, test } from "vitest";
import { saidBeside } from "./pdf-fields.ts";

const field = { subtype: "Widget" };

test("what was filled into a form is said with its labels, from the top downwards", () => {
  expect(
    saidBeside([
      {
        ...field,
        fieldType: "Tx",
        alternativeText: "City",
        fieldValue: " Vienna ",
        rect: [10, 100, 90, 120],
      },
      {
        ...field,
        fieldType: "Tx",
        fieldName: "form1[0].LastName[0]",
        fieldValue: "Ada",
        rect: [10, 200, 90, 220],
      },
      { ...field, fieldType: "Tx", fieldName: "", fieldValue: "London", rect: [200, 100, 290, 120] },
      {
        ...field,
        fieldType: "Ch",
        alternativeText: "Country",
        fieldValue: ["at"],
        options: [{ exportValue: "at", displayValue: "Austria" }],
      },
      { ...field, fieldType: "Btn", checkBox: true, alternativeText: "Agrees", fieldValue: "Yes" },
      { ...field, fieldType: "Btn", radioButton: true, fieldName: "Size", fieldValue: "L", buttonValue: "L" },
    ]),
  ).toEqual(["LastName: Ada", "City: Vienna", "London", "Country: Austria", "Agrees: Yes", "Size: L"]);
});

test("text that was laid over the page is said; notes that were stuck to it are not, nor what is empty or a password", () => {
  expect(
    saidBeside([
      { subtype: "FreeText", textContent: ["Approved", "in May"] },
      { subtype: "FreeText", contentsObj: { str: "Draft" } },
      { subtype: "Text", contentsObj: { str: "a comment" } },
      { subtype: "Link" },
      { ...field, fieldType: "Tx", alternativeText: "PIN", fieldValue: "1234", password: true },
      { ...field, fieldType: "Tx", alternativeText: "Empty", fieldValue: "" },
      { ...field, fieldType: "Btn", checkBox: true, alternativeText: "No", fieldValue: "Off" },
      { ...field, fieldType: "Btn", radioButton: true, fieldName: "Size", fieldValue: "L", buttonValue: "S" },
      { ...field, fieldType: "Sig", fieldValue: {} },
      null,
      "x",
    ]),
  ).toEqual(["Approved in May", "Draft"]);
});
