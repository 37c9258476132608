/** What models know the tools by that are not named in a configuration. */
export const calculatorName = "calculator";
export const sqlToolName = "query_database";
export const webSearchName = "web_search";
