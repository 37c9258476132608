/** The demo tenant and its secret exist for development. In production whatever bears these names is refused. */
export const demoTenantId = "demo";
export const demoSecretName = "DEMO_JWT_SECRET";
