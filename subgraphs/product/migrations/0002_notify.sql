-- Whoever keeps parts of the catalogue in memory hears of every change when it is committed (src/catalogue.rs).
CREATE FUNCTION notify_catalogue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY catalogue;
    RETURN NULL;
END $$;

CREATE TRIGGER product_changed AFTER INSERT OR UPDATE OR DELETE ON product
    FOR EACH STATEMENT EXECUTE FUNCTION notify_catalogue();
CREATE TRIGGER variant_changed AFTER INSERT OR UPDATE OR DELETE ON variant
    FOR EACH STATEMENT EXECUTE FUNCTION notify_catalogue();
